#include "dicom/report_pdf.h"

#include <fmt/format.h>
#include <hpdf.h>

#include <cstdlib>
#include <memory>
#include <sstream>

#include "dicom/overlay.h"

namespace vesal::dicom {

using namespace results;
namespace {

constexpr float kWidth = 595, kHeight = 842, kMargin = 48, kSize = 10, kLine = 15;
struct Tint {
  float r, g, b;
};
constexpr Tint kInk{0.13f, 0.15f, 0.18f}, kGrey{0.45f, 0.48f, 0.52f}, kRed{0.75f, 0.12f, 0.1f};

std::string font_file() {
  if (const char* own = std::getenv("VESAL_FONT")) return own;
  for (const char* file : {"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
                           "/usr/share/fonts/TTF/DejaVuSans.ttf"})
    if (std::filesystem::exists(file)) return file;
  throw Error(ErrorKind::unsupported,
              "a PDF needs the font DejaVu Sans (Debian: fonts-dejavu-core), or $VESAL_FONT with the path of a TrueType font");
}

/// libharu remembers its first error; done() asks for it.
class Document {
 public:
  Document() : pdf_(HPDF_New(nullptr, nullptr), &HPDF_Free) {
    if (!pdf_) throw Error(ErrorKind::memory, "PDF: out of memory");
    HPDF_UseUTFEncodings(pdf_.get());
    HPDF_SetCompressionMode(pdf_.get(), HPDF_COMP_ALL);
    const char* name = HPDF_LoadTTFontFromFile(pdf_.get(), font_file().c_str(), HPDF_TRUE);
    font_ = name ? HPDF_GetFont(pdf_.get(), name, "UTF-8") : nullptr;
    if (!font_) throw Error(ErrorKind::format, font_file() + ": no TrueType font that a PDF can hold");
    new_page();
    // libharu 2.3 takes the parts of a letter into the file, but not the parts of these parts: of ự it takes ư, and its horn is lost. What was
    // measured is in the file, so letters with the parts of others are measured.
    width_of("ưƠƯơâÂêÊôÔăĂÀÁÂÃẢĂÈÉÊÌÍÒÓÔÕÙÚÝ", kSize);
  }

  void title(const std::string& text) { HPDF_SetInfoAttr(pdf_.get(), HPDF_INFO_TITLE, text.c_str()); }
  void producer(const std::string& text) { HPDF_SetInfoAttr(pdf_.get(), HPDF_INFO_CREATOR, text.c_str()); }

  /// Goes on with a new page unless `height` is left on this one.
  void need(float height) {
    if (y_ - height < kMargin + 20) new_page();
  }
  void skip(float height) { y_ -= height; }

  float width_of(const std::string& text, float size) {
    HPDF_Page_SetFontAndSize(page_, font_, size);
    return HPDF_Page_TextWidth(page_, text.c_str());
  }
  /// One line at x on the current height.
  void at(float x, const std::string& text, Tint tint = kInk, float size = kSize) {
    HPDF_Page_SetFontAndSize(page_, font_, size);
    HPDF_Page_SetRGBFill(page_, tint.r, tint.g, tint.b);
    HPDF_Page_BeginText(page_);
    HPDF_Page_TextOut(page_, x, y_, text.c_str());
    HPDF_Page_EndText(page_);
  }
  void right(float x, const std::string& text, Tint tint = kInk, float size = kSize) { at(x - width_of(text, size), text, tint, size); }
  /// Broken between words where it gets too long for the page.
  void paragraph(const std::string& text, Tint tint = kInk, float size = kSize, float indent = 0) {
    std::istringstream in(text);
    std::string word, line;
    const auto flush = [&] {
      need(size * 1.5f);
      at(kMargin + indent, line, tint, size);
      y_ -= size * 1.5f;
    };
    while (in >> word) {
      const std::string longer = line.empty() ? word : line + " " + word;
      if (!line.empty() && width_of(longer, size) > kWidth - 2 * kMargin - indent) flush(), line = word;
      else line = longer;
    }
    if (!line.empty()) flush();
  }
  void heading(const std::string& text) {
    need(60);
    y_ -= 10;
    at(kMargin, text, kInk, 12);
    y_ -= 5;
    rule();
    y_ -= kLine;
  }
  void field(const std::string& name, const std::string& value) {
    if (value.empty()) return;
    need(kLine);
    at(kMargin, name, kGrey);
    paragraph(value, kInk, kSize, 190);
  }
  void square(float x, image::Colour c) {
    HPDF_Page_SetRGBFill(page_, static_cast<float>(c.r) / 255, static_cast<float>(c.g) / 255, static_cast<float>(c.b) / 255);
    HPDF_Page_Rectangle(page_, x, y_ - 1, 9, 9);
    HPDF_Page_Fill(page_);
  }
  void rule() {
    HPDF_Page_SetRGBStroke(page_, 0.8f, 0.82f, 0.85f);
    HPDF_Page_SetLineWidth(page_, 0.7f);
    HPDF_Page_MoveTo(page_, kMargin, y_);
    HPDF_Page_LineTo(page_, kWidth - kMargin, y_);
    HPDF_Page_Stroke(page_);
  }
  /// [height, width, 3] over the width of the page.
  void picture(const Array& pixels) {
    const auto width = static_cast<HPDF_UINT>(pixels.size(1)), height = static_cast<HPDF_UINT>(pixels.size(0));
    HPDF_Image image = HPDF_LoadRawImageFromMem(pdf_.get(), pixels.data<std::uint8_t>(), width, height, HPDF_CS_DEVICE_RGB, 8);
    const float across = kWidth - 2 * kMargin, down = across * static_cast<float>(height) / static_cast<float>(width);
    need(down);
    y_ -= down;
    if (image) HPDF_Page_DrawImage(page_, image, kMargin, y_, across, down);
    y_ -= kLine;
  }

  std::string done(const std::string& foot) {
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      page_ = pages_[i];
      y_ = kMargin - 14;
      at(kMargin, foot, kGrey, 8);
      right(kWidth - kMargin, fmt::format("{} / {}", i + 1, pages_.size()), kGrey, 8);
    }
    HPDF_SaveToStream(pdf_.get());
    std::string bytes(HPDF_GetStreamSize(pdf_.get()), '\0');
    auto size = static_cast<HPDF_UINT32>(bytes.size());
    HPDF_ReadFromStream(pdf_.get(), reinterpret_cast<HPDF_BYTE*>(bytes.data()), &size);
    bytes.resize(size);
    if (const HPDF_STATUS error = HPDF_GetError(pdf_.get()); error != HPDF_OK || !bytes.starts_with("%PDF"))
      throw Error(ErrorKind::internal, fmt::format("PDF: libharu's error {:#x}", error));
    return bytes;
  }

 private:
  void new_page() {
    page_ = HPDF_AddPage(pdf_.get());
    HPDF_Page_SetSize(page_, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    pages_.push_back(page_);
    y_ = kHeight - kMargin - 12;
  }
  std::unique_ptr<std::remove_pointer_t<HPDF_Doc>, decltype(&HPDF_Free)> pdf_;
  HPDF_Font font_ = nullptr;
  HPDF_Page page_ = nullptr;
  std::vector<HPDF_Page> pages_;
  float y_ = 0;
};

/// "20240102" as "2024-01-02".
std::string date_text(const std::string& da) { return da.size() == 8 ? da.substr(0, 4) + "-" + da.substr(4, 2) + "-" + da.substr(6) : da; }

/// The first of a person name's groups, family and given name apart.
std::string person(std::string name) {
  name = name.substr(0, name.find('='));
  for (char& c : name)
    if (c == '^') c = ' ';
  return name;
}

void put_study(Document& page, const Result& result) {
  page.heading("Patient and study / Bệnh nhân và ca chụp");
  if (!result.source) {
    page.field("Scan / Ảnh chụp", result.input);
    return;
  }
  const image::DicomSeries& s = result.source->series();
  page.field("Patient / Bệnh nhân", person(s.patient_name));
  page.field("Patient ID / Mã bệnh nhân", s.patient_id);
  page.field("Study / Ca chụp", s.study_description);
  page.field("Study date / Ngày chụp", date_text(s.study_date));
  page.field("Accession / Số phiếu", s.accession);
  page.field("Series / Chuỗi ảnh", result.source->volume().describe());
}

void put_volumes(Document& page, const Result& result) {
  page.heading("Volumes / Thể tích");
  for (const Segment& s : result.classes) {
    page.need(kLine);
    page.square(kMargin, s.colour);
    page.at(kMargin + 16, s.name);
    const Code& site = s.anatomy.site();
    const std::string side = s.anatomy.side().empty() ? "" : ", " + s.anatomy.side().meaning;
    if (site.scheme == "SCT") page.at(kMargin + 220, site.meaning + side, kGrey, 9);
    page.right(kWidth - kMargin, s.voxels == 0 ? "not found / không thấy" : fmt::format("{:.2f} ml", s.ml), s.voxels == 0 ? kGrey : kInk);
    page.skip(kLine);
  }
}

}  // namespace

std::string report_pdf(const Result& result) {
  Document page;
  page.title("Segmentation report");
  page.producer(result.software);
  page.at(kMargin, "Segmentation report / Báo cáo phân đoạn ảnh", kInk, 16);
  page.skip(26);
  if (!result.warning.empty()) {
    page.paragraph("RESEARCH, not for diagnosis / NGHIÊN CỨU, không dùng để chẩn đoán", kRed, 11);
    page.paragraph(result.warning, kRed);
  }
  put_study(page, result);
  page.heading("Result / Kết quả");
  page.picture(overlay_of(result, true));
  put_volumes(page, result);
  page.heading("Made by / Thực hiện bởi");
  page.field("Software / Phần mềm", result.software);
  page.field("Model / Mô hình", result.bundle + (result.version.empty() ? "" : ", version " + result.version));
  page.field("Task / Nhiệm vụ", result.task);
  page.skip(6);
  page.paragraph(
      "Made by a program, without a person's review. Volumes are those of the labelled voxels. / Do chương trình tạo, chưa có người kiểm tra. "
      "Thể tích tính theo các voxel được gán nhãn.",
      kGrey, 9);
  return page.done(result.software + ", " + result.bundle + " " + result.version);
}

}  // namespace vesal::dicom
