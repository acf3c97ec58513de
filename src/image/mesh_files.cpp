#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <map>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "image/mesh.h"

namespace vesal::image {
namespace {

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}
template <class T>
T get(const std::string& bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) throw Error(ErrorKind::format, "mesh file: cut short");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

std::string encode_stl(const std::vector<Mesh>& meshes) {
  std::string out = "vesal SPACE=RAS";  // must not begin with "solid", which would be a text file
  out.resize(80, ' ');
  std::size_t count = 0;
  for (const Mesh& m : meshes) count += m.triangles.size();
  out.reserve(84 + 50 * count);
  put(out, static_cast<std::uint32_t>(count));
  for (const Mesh& m : meshes)
    for (const auto& t : m.triangles) {
      put(out, std::array<float, 3>{});  // normals follow from the order of the corners
      for (const std::uint32_t v : t) put(out, m.vertices[v]);
      put(out, std::uint16_t{0});
    }
  return out;
}

std::vector<Mesh> decode_stl(const std::string& bytes) {
  const auto count = get<std::uint32_t>(bytes, 80);
  if (bytes.size() != 84 + std::size_t{50} * count) throw Error(ErrorKind::format, "STL: wrong size");
  Mesh mesh;
  std::map<std::array<float, 3>, std::uint32_t> known;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::uint32_t, 3> t{};
    for (std::size_t k = 0; k < 3; ++k) {
      const auto point = get<std::array<float, 3>>(bytes, 84 + 50 * i + 12 + 12 * k);
      const auto [at, fresh] = known.emplace(point, static_cast<std::uint32_t>(mesh.vertices.size()));
      if (fresh) mesh.vertices.push_back(point);
      t[k] = at->second;
    }
    mesh.triangles.push_back(t);
  }
  return {mesh};
}

std::string encode_obj(const std::vector<Mesh>& meshes) {
  std::string out = "# vesal SPACE=RAS\n# millimetres\n";
  std::uint32_t first = 1;
  for (const Mesh& m : meshes) {
    std::string name = m.name.empty() ? "label" : m.name;
    for (char& c : name)
      if (c == ' ' || static_cast<unsigned char>(c) < 32) c = '_';
    out += fmt::format("o {}\n", name);
    for (const auto& v : m.vertices) out += fmt::format("v {:.4f} {:.4f} {:.4f}\n", v[0], v[1], v[2]);
    for (const auto& t : m.triangles) out += fmt::format("f {} {} {}\n", first + t[0], first + t[1], first + t[2]);
    first += static_cast<std::uint32_t>(m.vertices.size());
  }
  return out;
}

std::vector<Mesh> decode_obj(const std::string& bytes) {
  std::vector<Mesh> out;
  std::uint32_t first = 1, vertices = 0;
  std::istringstream in(bytes);
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("o ")) {
      out.emplace_back().name = line.substr(2);
      first = vertices + 1;
    }
    if (out.empty() || (!line.starts_with("v ") && !line.starts_with("f "))) continue;
    std::istringstream values(line.substr(2));
    if (line[0] == 'v') {
      std::array<float, 3> v{};
      if (!(values >> v[0] >> v[1] >> v[2])) throw Error(ErrorKind::format, "OBJ: " + line);
      out.back().vertices.push_back(v);
      ++vertices;
    } else {
      std::array<std::uint32_t, 3> t{};
      if (!(values >> t[0] >> t[1] >> t[2])) throw Error(ErrorKind::format, "OBJ: " + line);
      for (std::uint32_t& v : t) {
        if (v < first || v > vertices) throw Error(ErrorKind::format, "OBJ: " + line);
        v -= first;
      }
      out.back().triangles.push_back(t);
    }
  }
  return out;
}

// glTF 2.0, section 4: a header, a chunk of JSON, a chunk of numbers.
constexpr std::uint32_t kMagic = 0x46546C67, kJson = 0x4E4F534A, kBin = 0x004E4942;
constexpr int kFloat = 5126, kUnsigned = 5125, kVertices = 34962, kIndices = 34963;

Value integer(std::size_t n) { return Value(static_cast<std::int64_t>(n)); }

std::string encode_glb(const std::vector<Mesh>& meshes) {
  std::string bin;
  List nodes, children, shapes, materials, views, accessors;
  nodes.items.emplace_back();  // the root comes first, with its children when they are known
  const auto view = [&](std::size_t begin, int target) {
    views.items.push_back(Dict{{"buffer", 0}, {"byteOffset", integer(begin)}, {"byteLength", integer(bin.size() - begin)}, {"target", target}});
    return integer(views.items.size() - 1);
  };
  for (const Mesh& m : meshes) {
    std::array<float, 3> low{1e30f, 1e30f, 1e30f}, high{-1e30f, -1e30f, -1e30f};
    std::size_t begin = bin.size();
    for (const auto& v : m.vertices) {
      put(bin, v);
      for (std::size_t i = 0; i < 3; ++i) low[i] = std::min(low[i], v[i]), high[i] = std::max(high[i], v[i]);
    }
    List least, most;
    for (std::size_t i = 0; i < 3; ++i) least.items.emplace_back(low[i]), most.items.emplace_back(high[i]);
    accessors.items.push_back(Dict{{"bufferView", view(begin, kVertices)},
                                   {"componentType", kFloat},
                                   {"count", integer(m.vertices.size())},
                                   {"type", "VEC3"},
                                   {"min", least},
                                   {"max", most}});
    begin = bin.size();
    for (const auto& t : m.triangles) put(bin, t);
    accessors.items.push_back(
        Dict{{"bufferView", view(begin, kIndices)}, {"componentType", kUnsigned}, {"count", integer(3 * m.triangles.size())}, {"type", "SCALAR"}});
    const std::size_t n = shapes.items.size();
    // Colours of glTF are linear, those of a screen are not.
    const auto linear = [](std::uint8_t c) { return Value(std::pow(c / 255.0, 2.2)); };
    List colour, primitives;
    colour.items = {linear(m.colour.r), linear(m.colour.g), linear(m.colour.b), Value(1.0)};
    materials.items.push_back(
        Dict{{"name", m.name}, {"pbrMetallicRoughness", Dict{{"baseColorFactor", colour}, {"metallicFactor", 0.0}, {"roughnessFactor", 0.6}}}});
    primitives.items.push_back(Dict{{"attributes", Dict{{"POSITION", integer(2 * n)}}}, {"indices", integer(2 * n + 1)}, {"material", integer(n)}});
    shapes.items.push_back(Dict{{"name", m.name}, {"primitives", primitives}});
    nodes.items.push_back(Dict{{"name", m.name}, {"mesh", integer(n)}});
    children.items.push_back(integer(n + 1));
  }
  List matrix, roots, scenes, buffers;  // column by column: x to x, y (front) to -z, z (head) to y, mm to m
  for (const double v : {0.001, 0.0, 0.0, 0.0, 0.0, 0.0, -0.001, 0.0, 0.0, 0.001, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0}) matrix.items.emplace_back(v);
  nodes.items[0] = Dict{{"name", "RAS mm"}, {"matrix", matrix}, {"children", children}};
  roots.items.emplace_back(0);
  scenes.items.push_back(Dict{{"nodes", roots}});
  buffers.items.push_back(Dict{{"byteLength", integer(bin.size())}});
  std::string json = to_json(Dict{{"asset", Dict{{"version", "2.0"}, {"generator", "vesal"}}},
                                  {"scene", 0},
                                  {"scenes", scenes},
                                  {"nodes", nodes},
                                  {"meshes", shapes},
                                  {"materials", materials},
                                  {"accessors", accessors},
                                  {"bufferViews", views},
                                  {"buffers", buffers}},
                             -1);
  json.resize((json.size() + 3) / 4 * 4, ' ');
  const std::size_t size = 12 + 8 + json.size() + 8 + bin.size();
  if (size > 0xffffffffu) throw Error(ErrorKind::unsupported, "GLB: more than 4 GiB; use .stl or fewer labels");
  std::string out;
  for (const std::uint32_t v : {kMagic, 2u, static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(json.size()), kJson}) put(out, v);
  out += json;
  put(out, static_cast<std::uint32_t>(bin.size()));
  put(out, kBin);
  return out + bin;
}

std::vector<Mesh> decode_glb(const std::string& bytes) {
  if (get<std::uint32_t>(bytes, 0) != kMagic || get<std::uint32_t>(bytes, 8) != bytes.size()) throw Error(ErrorKind::format, "GLB: wrong header");
  const std::size_t length = get<std::uint32_t>(bytes, 12);
  if (length > bytes.size() - 20) throw Error(ErrorKind::format, "GLB: cut short");
  const Value json = parse_json(bytes.substr(20, length));
  const std::size_t bin = 20 + length + 8;
  const auto list = [&](const char* name) -> const std::vector<Value>& { return json.as_dict().at(name).items(); };
  const auto number = [](const Value& v, const char* name) { return static_cast<std::size_t>(v.as_dict().at(name).as_int()); };
  const auto bytes_of = [&](std::size_t accessor) {
    return bin + number(list("bufferViews").at(number(list("accessors").at(accessor), "bufferView")), "byteOffset");
  };
  std::vector<Mesh> out;
  for (const Value& m : list("meshes")) {
    Mesh& mesh = out.emplace_back();
    mesh.name = m.as_dict().at("name").as_string();
    const Value& primitive = m.as_dict().at("primitives").items().at(0);
    const std::size_t points = number(primitive.as_dict().at("attributes"), "POSITION"), corners = number(primitive, "indices");
    for (std::size_t i = 0; i < number(list("accessors").at(points), "count"); ++i)
      mesh.vertices.push_back(get<std::array<float, 3>>(bytes, bytes_of(points) + 12 * i));
    for (std::size_t i = 0; i < number(list("accessors").at(corners), "count") / 3; ++i) {
      mesh.triangles.push_back(get<std::array<std::uint32_t, 3>>(bytes, bytes_of(corners) + 12 * i));
      for (const std::uint32_t v : mesh.triangles.back())
        if (v >= mesh.vertices.size()) throw Error(ErrorKind::format, "GLB: an index beyond the vertices");
    }
  }
  return out;
}

}  // namespace

std::string encode_meshes(const std::string& extension, const std::vector<Mesh>& meshes) {
  if (extension == ".stl") return encode_stl(meshes);
  if (extension == ".obj") return encode_obj(meshes);
  if (extension == ".glb") return encode_glb(meshes);
  throw Error(ErrorKind::unsupported, "'" + extension + "' is no mesh format that can be written; there are .stl, .obj and .glb");
}

std::vector<Mesh> decode_meshes(const std::string& extension, const std::string& bytes) {
  if (extension == ".stl") return decode_stl(bytes);
  if (extension == ".obj") return decode_obj(bytes);
  if (extension == ".glb") return decode_glb(bytes);
  throw Error(ErrorKind::unsupported, "'" + extension + "' is no mesh format; there are .stl, .obj and .glb");
}

void write_meshes(const std::filesystem::path& path, const std::vector<Mesh>& meshes) {
  write_file(path, encode_meshes(lower(path.extension().string()), meshes));
}

}  // namespace vesal::image
