#include "image/phantom_anatomy.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vesal::image {
namespace {

constexpr double kEverywhere = 1e9;
using Distance = std::function<double(const Point&)>;

double length(const Point& p) { return std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]); }
Point minus(const Point& a, const Point& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }

/// Distance to an ellipsoid, first order (exact on the surface).
double ellipsoid(const Point& p, const Point& r) {
  const Point a{p[0] / r[0], p[1] / r[1], p[2] / r[2]};
  const Point b{a[0] / r[0], a[1] / r[1], a[2] / r[2]};
  const double k0 = length(a), k1 = length(b);
  return k1 < 1e-12 ? -std::min({r[0], r[1], r[2]}) : k0 * (k0 - 1) / k1;
}

/// Distance to an endless elliptic cylinder along z.
double tube(const Point& p, double rx, double ry) { return ellipsoid({p[0], p[1], 0}, {rx, ry, 1e6}); }

struct Rotation {
  std::array<Point, 3> row;
  /// Angles in degrees about x, y, z.
  Rotation(double ax, double ay, double az) {
    const double k = std::numbers::pi / 180;
    const double cx = std::cos(ax * k), sx = std::sin(ax * k), cy = std::cos(ay * k), sy = std::sin(ay * k), cz = std::cos(az * k),
                 sz = std::sin(az * k);
    row = {Point{cy * cz, cz * sx * sy - cx * sz, cx * cz * sy + sx * sz}, Point{cy * sz, cx * cz + sx * sy * sz, cx * sy * sz - cz * sx},
           Point{-sy, cy * sx, cx * cy}};
  }
  Point operator()(const Point& p) const {
    return {row[0][0] * p[0] + row[0][1] * p[1] + row[0][2] * p[2], row[1][0] * p[0] + row[1][1] * p[1] + row[1][2] * p[2],
            row[2][0] * p[0] + row[2][1] * p[1] + row[2][2] * p[2]};
  }
};

Distance turned_ellipsoid(Point centre, Point r, Rotation turn) {
  return [=](const Point& p) { return ellipsoid(turn(minus(p, centre)), r); };
}

/// HU of the tissues at one moment of a contrast injection.
struct Contrast {
  double liver, spleen, kidney, aorta, vein, muscle;
};

Contrast draw_contrast(Dice& dice) {
  static constexpr Contrast kNone{54, 44, 28, 42, 40, 50}, kArterial{66, 118, 140, 300, 90, 58}, kPortal{108, 116, 185, 160, 165, 64},
      kLate{85, 92, 150, 110, 112, 62};
  if (dice.chance(0.15))  // no phase at all, so that grey values alone do not tell the organs
    return {dice.uniform(20, 160), dice.uniform(20, 160), dice.uniform(10, 220), dice.uniform(20, 300), dice.uniform(20, 200), dice.uniform(20, 80)};
  const Contrast& phase = dice.chance(0.35) ? kNone : dice.chance(0.3) ? kArterial : dice.chance(0.6) ? kPortal : kLate;
  const double dose = &phase == &kNone ? 0 : dice.uniform(0.35, 1.25);  // how much of the phase's rise is there
  const auto mixed = [&](double plain, double full, double share) { return dice.around(plain + dose * (full - plain), share); };
  const double fatty = dice.chance(0.2) ? dice.uniform(10, 45) : 0;  // fatty liver
  const double shift = dice.uniform(-10, 8);                         // of the scanner and the blood
  return {mixed(kNone.liver, phase.liver, 0.12) - fatty + shift,
          mixed(kNone.spleen, phase.spleen, 0.14) + shift,
          mixed(kNone.kidney, phase.kidney, 0.2) + shift,
          mixed(kNone.aorta, phase.aorta, 0.2) + shift,
          mixed(kNone.vein, phase.vein, 0.2) + shift,
          mixed(kNone.muscle, phase.muscle, 0.12) + 0.5 * shift};
}

/// Everything is drawn here once, so that shapes that touch each other know each other.
class Builder {
 public:
  explicit Builder(Dice& dice) : d_(dice), hu_(draw_contrast(dice)) {
    half_x_ = d_.uniform(130, 215);
    half_y_ = half_x_ * d_.uniform(0.6, 0.84);
    fat_ = d_.uniform(8, 38);
    wall_ = d_.uniform(9, 16);
    scale_ = (half_x_ - fat_ - wall_) / 133;
    dome_ = d_.uniform(15, 80);
    recess_ = d_.uniform(0.35, 1.0);
  }

  Anatomy build() {
    around();
    body();
    chest();
    pelvis();
    bowel();
    abdomen();
    bones();
    return {std::move(tissues_), draw_warp(), skin_};
  }

 private:
  void add(int label, double hu, double texture, Distance distance, Point centre = {0, 0, 0}, double radius = kEverywhere) {
    tissues_.push_back({label, hu, texture, centre, radius, std::move(distance)});
  }
  void add_ellipsoid(int label, double hu, double texture, Point centre, Point r, Rotation turn) {
    add(label, hu, texture, turned_ellipsoid(centre, r, turn), centre, std::max({r[0], r[1], r[2]}) + 1);
  }
  Point jitter(Point p, double mm) { return {p[0] * scale_ + d_.uniform(-mm, mm), p[1] * scale_ + d_.uniform(-mm, mm), p[2] + d_.uniform(-mm, mm)}; }
  Point sized(Point r, double share) { return {d_.around(r[0] * scale_, share), d_.around(r[1] * scale_, share), d_.around(r[2], share)}; }
  Rotation turn(double degrees) { return {d_.uniform(-degrees, degrees), d_.uniform(-degrees, degrees), d_.uniform(-degrees, degrees)}; }

  double inner_x() const { return half_x_ - fat_ - wall_; }
  double inner_y() const { return half_y_ - fat_ - wall_; }

  /// An arm that lies beside the trunk: fat, muscle, one bone above the elbow or two below it.
  void arm(int side) {
    const double r = d_.uniform(24, 48), flat = d_.uniform(0.7, 1.1), fat = d_.uniform(2, 12), lean = d_.uniform(-0.15, 0.15);
    const double x = side * (half_x_ + r + d_.uniform(0, 45)), y = d_.uniform(-0.9, 0.4) * half_y_;
    const bool two = d_.chance(0.4);
    const double bone = two ? d_.uniform(5, 8) : d_.uniform(8, 13), off = two ? d_.uniform(9, 14) : d_.uniform(0, 6), hu = d_.uniform(300, 900);
    const auto at = [=](const Point& p) { return Point{p[0] - x - lean * p[2], p[1] - y, 0}; };
    add(0, d_.uniform(-115, -60), 10, [=](const Point& p) { return tube(at(p), r, r * flat); });
    add(0, hu_.muscle, 15, [=](const Point& p) { return tube(at(p), r - fat, r * flat - fat); });
    for (int i : {-1, 1})
      if (two || i > 0) add(0, hu, 40, [=](const Point& p) { return tube(minus(at(p), {i * off, 0.3 * off, 0}), bone, bone); });
  }

  /// What is outside the skin.
  void around() {
    if (d_.chance(0.5))
      for (int side : {-1, 1})
        if (d_.chance(0.85)) arm(side);
    if (d_.chance(0.45)) {  // a curved couch, of one shell or two
      const double top = -half_y_ - d_.uniform(2, 15), depth = d_.uniform(250, 800), thick = d_.uniform(1.5, 5), hu = d_.uniform(-400, 300);
      const int shells = d_.chance(0.5) ? 2 : 1;
      const double apart = d_.uniform(8, 40), wide = d_.uniform(150, 240);
      for (int i = 0; i < shells; ++i)
        add(0, hu, 0, [=](const Point& p) {
          const double r = depth + apart * i;
          return std::max({std::fabs(std::hypot(p[0], p[1] - top - depth) - r) - thick, std::fabs(p[0]) - wide, p[1] - top - 60});
        });
    } else if (d_.chance(0.6)) {  // a flat one
      const double top = -half_y_ - d_.uniform(2, 14), thick = d_.uniform(8, 30), wide = d_.uniform(180, 230);
      const double hu = d_.uniform(-500, -50);
      add(0, hu, 0, [=](const Point& p) { return std::max({std::fabs(p[0]) - wide, p[1] - top, top - thick - p[1]}); });
    }
  }

  void body() {
    skin_ = tissues_.size();
    const double hx = half_x_, hy = half_y_, fat = fat_, ix = inner_x(), iy = inner_y();
    add(0, d_.uniform(-20, 40), 5, [=](const Point& p) { return tube(p, hx, hy); });                // skin
    add(0, d_.uniform(-115, -95), 6, [=](const Point& p) { return tube(p, hx - 2.5, hy - 2.5); });  // fat below it
    add(0, hu_.muscle, 8, [=](const Point& p) { return tube({p[0], p[1] + 0.15 * fat, p[2]}, hx - fat, hy - fat); });
    const double between = d_.chance(0.25) ? d_.uniform(-90, 15) : d_.uniform(-115, -90);  // fat of the cavity; little of it in the lean, fluid
    add(0, between, 12, [=](const Point& p) { return tube({p[0], p[1], p[2]}, ix, iy); });
    for (int side : {-1, 1}) {  // muscles beside the spine
      const Point back{side * 38 * scale_, -inner_y() * 0.92, 0}, psoas{side * 38 * scale_, -0.42 * inner_y(), -110};
      const double r = d_.uniform(20, 28) * scale_;
      add(0, hu_.muscle, 10, [=](const Point& p) { return tube(minus(p, back), 1.4 * r, r); });
      add_ellipsoid(0, hu_.muscle, 8, psoas, {20 * scale_, 22 * scale_, 110}, Rotation(0, side * -6.0, 0));
    }
  }

  /// Height of the diaphragm above the origin at a place of the cavity.
  Distance lung(int side) {
    const double ix = inner_x(), iy = inner_y(), dome = dome_ + (side > 0 ? 12 : 0), scale = scale_, recess = recess_;
    return [=](const Point& p) {
      const double inside = tube({p[0] - side * 0.5 * ix, p[1] + 0.02 * iy, p[2]}, 0.5 * ix - 3, 0.95 * iy);
      const double u = (p[0] - side * 68 * scale) / (0.62 * ix), v = (p[1] - 10) / (0.95 * iy);
      const double q = u * u + v * v, fall = recess * (40 + 70 * q);
      const double floor = dome - recess * (40 * q + 35 * q * q);
      const double slope = std::sqrt(1 + std::pow(2 * fall * u / (0.62 * ix), 2) + std::pow(2 * fall * v / (0.95 * iy), 2));
      return std::max(inside, (floor - p[2]) / slope);
    };
  }

  void chest() {
    add_ellipsoid(0, hu_.aorta * 0.5 + 25, 10, {-25 * scale_, 25 * scale_, dome_ + 62}, {65 * scale_, 50 * scale_, 58}, turn(15));  // heart
    for (int side : {-1, 1}) {
      const double hu = d_.uniform(-880, -780);
      // Lung in front of the heart's place is cut out by laying the lung first over everything but the heart.
      const Distance whole = lung(side),
                     heart = turned_ellipsoid({-25 * scale_, 25 * scale_, dome_ + 62}, {68 * scale_, 53 * scale_, 61}, Rotation(0, 0, 0));
      add(10, hu, 35, [=](const Point& p) { return std::max(whole(p), -heart(p)); });
      if (d_.chance(0.2)) {  // fluid or collapsed lung behind
        const double level = d_.uniform(-0.75, -0.1) * inner_y();
        add(0, d_.uniform(0, 60), 6, [=](const Point& p) { return std::max({whole(p) + 1, -heart(p), p[1] - level}); });
      }
    }
  }

  void pelvis() {
    const double hx = half_x_ - fat_, hy = half_y_ - fat_, crest = d_.uniform(-150, -110), ix = inner_x();
    const double bone = d_.uniform(250, 600), s = scale_;
    add(0, hu_.muscle, 12, [=](const Point& p) {  // the glutei fill what was fat behind and beside
      return std::max({tube(p, hx + 10, hy + 6), p[2] - crest, -tube({p[0], p[1] - 30, p[2]}, 0.75 * ix, 75 * s)});
    });
    for (int side : {-1, 1}) {
      const Point wing{side * 62 * s, 10, crest - 70}, head{side * 88 * s, -5, crest - 145};
      const Distance blade = turned_ellipsoid(wing, {62 * s, 88 * s, 78}, Rotation(10, side * 14.0, side * 8.0));
      add(0, bone, 60, [=](const Point& p) {
        return std::max({std::fabs(blade(p)) - 5, p[2] - crest - 25, side * -p[0] + 45 * s, p[1] - 35 - 0.3 * (crest - p[2])});
      });
      add_ellipsoid(0, bone, 40, head, {27 * s, 27 * s, 27}, turn(10));
      add_ellipsoid(0, bone * 0.6, 30, head, {23 * s, 23 * s, 23}, turn(10));
    }
    add_ellipsoid(0, d_.uniform(-5, 25), 3, {d_.uniform(-8, 8), 25, crest - d_.uniform(110, 140)},
                  {d_.uniform(30, 60), d_.uniform(28, 50), d_.uniform(25, 50)}, turn(10));
  }

  void bowel() {
    const int high = static_cast<int>(d_.uniform(0, 9));
    for (int i = 0; i < high; ++i) {  // jejunum, in the left upper quadrant
      const Point c{d_.uniform(-0.75, -0.1) * inner_x(), d_.uniform(-0.25, 0.6) * inner_y(), d_.uniform(-70, 15)};
      add_ellipsoid(18, d_.chance(0.15) ? d_.uniform(100, 350) : d_.uniform(5, 95), 15, c,
                    {d_.uniform(12, 26), d_.uniform(12, 20), d_.uniform(12, 26)}, turn(90));
    }
    const int loops = static_cast<int>(d_.uniform(14, 34));
    for (int i = 0; i < loops; ++i) {  // ileum, below and in front
      const Point c{d_.uniform(-0.6, 0.6) * inner_x(), d_.uniform(-0.05, 0.7) * inner_y(), d_.uniform(-230, -55)};
      add_ellipsoid(18, d_.uniform(10, 75), 15, c, {d_.uniform(12, 26), d_.uniform(12, 20), d_.uniform(12, 26)}, turn(90));
    }
    const double fold = d_.uniform(-60, 30);  // the splenic flexure may stand as high as the spleen
    const std::vector<Point> colon{{0.78 * inner_x(), 0.1 * inner_y(), -150}, {0.75 * inner_x(), 0.2 * inner_y(), -90},
                                   {0.4 * inner_x(), 0.66 * inner_y(), -75},  {0.0, 0.75 * inner_y(), -85},
                                   {-0.4 * inner_x(), 0.66 * inner_y(), -60}, {-0.72 * inner_x(), 0.3 * inner_y(), fold},
                                   {-0.8 * inner_x(), 0.0, fold - 60},        {-0.8 * inner_x(), -0.1 * inner_y(), -160}};
    for (std::size_t i = 0; i + 1 < colon.size(); ++i)
      for (int k = 0; k < 3; ++k) {
        Point c;
        for (int a = 0; a < 3; ++a) c[a] = colon[i][a] + (colon[i + 1][a] - colon[i][a]) * k / 3.0 + d_.uniform(-7, 7);
        const double r = d_.uniform(15, 25);
        add_ellipsoid(20, d_.uniform(20, 75), 10, c, {r, r, r * 1.3}, turn(60));
        add_ellipsoid(20, d_.chance(0.55) ? d_.uniform(-990, -600) : d_.uniform(-150, 90), 60, c, {r - 3, r - 3, r * 1.3 - 3}, turn(60));
      }
  }

  void abdomen() {
    const double ix = inner_x(), iy = inner_y(), dome = dome_;
    const Distance cavity = [=](const Point& p) { return tube(p, ix - 1, iy - 1); };
    const Distance right_lung = lung(1), left_lung = lung(-1);
    // Organs under the diaphragm fill what the lungs leave.
    const auto below = [=](Distance shape) {
      return [=](const Point& p) { return std::max({shape(p), cavity(p), 2.5 - right_lung(p), 2.5 - left_lung(p)}); };
    };

    vessels();
    const Point kidney_r = sized({27, 25, 54}, 0.2), kidney_l = sized({27, 26, 56}, 0.2);
    const Point at_r = jitter({66, -42, -52}, 12);
    // A big spleen pushes the kidney down and the stomach to the middle.
    const double big = d_.chance(0.4) ? d_.uniform(1.1, 1.9) : d_.uniform(0.65, 1.1), push = std::max(0.0, big - 1);
    Point at_l = jitter({-66, -42, -40}, 14);
    at_l[2] -= push * d_.uniform(0, 110);
    kidney(2, at_r, kidney_r, Rotation(8, 10, -30));
    kidney(3, at_l, kidney_l, Rotation(8, -10, 30));

    Point stomach_at = jitter({-52, 32, 2 + 0.3 * dome}, 14);
    stomach_at[0] += push * d_.uniform(0, 60), stomach_at[1] += push * d_.uniform(0, 40);
    const Point stomach_r = sized({44, 44, 58}, 0.35);
    stomach(stomach_at, stomach_r, below);

    const Point liver_at = jitter({66, 8, -12 + 0.35 * dome}, 8), liver_r = sized({82, 88, 82}, 0.1);
    const Point left_at = jitter({-6, 52, 8 + 0.35 * dome}, 10), left_r = sized({76, 42, 38}, 0.35);
    const Distance right_lobe = turned_ellipsoid(liver_at, liver_r, turn(8)), left_lobe = turned_ellipsoid(left_at, left_r, turn(12));
    const Distance kidney_bed = turned_ellipsoid(at_r, {kidney_r[0] + 6, kidney_r[1] + 6, kidney_r[2] + 6}, Rotation(8, 10, -30));
    const double tuck = 55 * scale_;
    add(5, hu_.liver, 6, below([=](const Point& p) {
          const double spine = tube({p[0], p[1] + 0.45 * iy, 0}, tuck, 0.62 * iy);
          return std::max({std::min(right_lobe(p), left_lobe(p)), -kidney_bed(p), -spine});
        }),
        {20 * scale_, 20, 0}, 200 * scale_);
    const int veins = static_cast<int>(d_.uniform(3, 7));
    for (int i = 0; i < veins; ++i)
      add_ellipsoid(5, hu_.liver + 0.6 * (hu_.vein - hu_.liver), 0,
                    {liver_at[0] + d_.uniform(-40, 30), liver_at[1] + d_.uniform(-30, 30), liver_at[2] + d_.uniform(-30, 30)},
                    {d_.uniform(3, 5), d_.uniform(3, 5), d_.uniform(18, 40)}, turn(80));
    if (d_.chance(0.8)) add_ellipsoid(4, d_.uniform(0, 20), 2, jitter({58, 40, -40}, 10), sized({16, 18, 26}, 0.3), turn(30));
    spleen(big, at_l, kidney_l, stomach_at, stomach_r, below);
    pancreas();
  }

  void vessels() {
    const double r = d_.uniform(9, 13), x = -14 * scale_ + d_.uniform(-4, 4), y = -0.08 * half_y_;
    add(52, hu_.aorta, 3, [=](const Point& p) { return tube({p[0] - x - 4 * std::sin(p[2] / 70), p[1] - y, 0}, r, r); });
    const double rv = d_.uniform(9, 14), xv = 18 * scale_ + d_.uniform(-4, 4), yv = y + d_.uniform(0, 10);
    add(63, hu_.vein * 0.85, 3, [=](const Point& p) { return tube({p[0] - xv, p[1] - yv, 0}, 1.25 * rv, 0.85 * rv); });
  }

  void kidney(int label, Point centre, Point r, Rotation rotation) {
    const double side = centre[0] > 0 ? -1 : 1;
    const Point hilum{centre[0] + side * 0.75 * r[0], centre[1] + 0.3 * r[1], centre[2]};
    const Distance whole = turned_ellipsoid(centre, r, rotation), sinus = turned_ellipsoid(hilum, {0.6 * r[0], 0.5 * r[1], 0.42 * r[2]}, rotation);
    add(
        label, hu_.kidney, 8, [=](const Point& p) { return std::max(whole(p), -sinus(p)); }, centre, r[2] + 2);
  }

  template <class Below>
  void stomach(Point centre, Point r, const Below& below) {
    const Rotation rotation(d_.uniform(-25, 5), d_.uniform(-25, 5), d_.uniform(-20, 20));
    const Distance wall = below(turned_ellipsoid(centre, r, rotation));
    const Point in{r[0] - 4, r[1] - 4, r[2] - 4};
    const Distance lumen = below(turned_ellipsoid(centre, in, rotation));
    const double level = centre[1] + d_.uniform(-0.9, 0.9) * r[1];  // air lies in front of what was drunk, the patient lies on the back
    const double content = d_.chance(0.25) ? d_.uniform(120, 420) : d_.uniform(0, 55);
    add(6, d_.uniform(40, 75), 8, wall, centre, r[2] + 20);
    add(
        6, content, 12, [=](const Point& p) { return lumen(p) + 3; }, centre, r[2] + 20);
    add(
        6, -960, 10, [=](const Point& p) { return std::max(lumen(p) + 3, level - p[1]); }, centre, r[2] + 20);
  }

  /// A spleen that lies along the wall and the diaphragm: an ellipsoid in the coordinates depth, way along the wall, height.
  template <class Below>
  Distance wall_spleen(const Below& below, double big) {
    const double ix = inner_x(), iy = inner_y();
    const double thick = d_.uniform(30, 52) * scale_ * big, along = d_.uniform(42, 68) * scale_ * big, high = d_.uniform(40, 62) * big;
    const double middle = d_.uniform(10, 50) * std::numbers::pi / 180, level = 0.3 * dome_ + d_.uniform(-30, 15), slant = d_.uniform(-0.8, 0.2);
    const double co = std::cos(slant), si = std::sin(slant), tip = d_.uniform(-0.5, 0.5), gap = d_.chance(0.3) ? d_.uniform(0, 8) : 0;
    const Distance inside = below([](const Point&) { return -kEverywhere; });
    return [=](const Point& p) {
      const double depth = -inside(p) - gap;
      const double angle = std::atan2(-p[1] / iy, -p[0] / ix);  // 0 at the left, growing backwards
      const double s = (angle - middle) * 0.5 * (ix + iy), t = p[2] - level;
      const double way = co * s + si * t, height = co * t - si * s;
      const double wider = std::clamp(1 + tip * way / along, 0.5, 1.5);
      return ellipsoid({depth, way, height}, {thick * wider, along, high});
    };
  }

  /// A spleen as a lens that stands free.
  Distance lens_spleen(double big) {
    const Point centre{-inner_x() + (27 + 8 * big) * scale_, (-28 + d_.uniform(-16, 14)) * scale_, 4 + 0.25 * dome_ + d_.uniform(-16, 16)};
    const Point r{(30 + d_.uniform(-4, 8)) * scale_ * big, (52 + d_.uniform(-8, 8)) * scale_ * big, (50 + d_.uniform(-10, 12)) * big};
    return turned_ellipsoid(centre, r, Rotation(d_.uniform(-35, 5), d_.uniform(-15, 15), d_.uniform(-35, 5)));
  }

  template <class Below>
  void spleen(double big, Point kidney_at, Point kidney_r, Point stomach_at, Point stomach_r, const Below& below) {
    // Hollowed by the stomach in front, the kidney behind and the vessels of its hilum; a big one pushes them away.
    const Distance whole = d_.chance(0.7) ? wall_spleen(below, big) : lens_spleen(big);
    const Point centre{-inner_x() + 30 * scale_, -28 * scale_, 4 + 0.25 * dome_};
    const double room = big > 1.1 ? -8 : 4;
    const Distance bed = turned_ellipsoid(kidney_at, {kidney_r[0] + room, kidney_r[1] + room, kidney_r[2] + room}, Rotation(8, -10, 30));
    const Distance front = turned_ellipsoid(stomach_at, {stomach_r[0] + room, stomach_r[1] + room, stomach_r[2] + room}, Rotation(-10, -10, 0));
    const double notch = d_.uniform(8, 34) * scale_;
    const Distance hilum = turned_ellipsoid({-0.3 * inner_x() + d_.uniform(-20, 10), d_.uniform(-30, 20), centre[2] + d_.uniform(-25, 25)},
                                            {notch + 14, notch, notch + 8}, turn(30));
    for (int i = 0; i < 3; ++i)  // vessels of the hilum
      add_ellipsoid(0, hu_.vein, 3,
                    {centre[0] + d_.uniform(20, 50) * scale_, centre[1] + d_.uniform(0, 40) * scale_, centre[2] + d_.uniform(-25, 25)},
                    {d_.uniform(3, 6), d_.uniform(3, 6), d_.uniform(8, 18)}, turn(80));
    const double lobes = d_.uniform(0, 4), waves = d_.uniform(10, 30), shift = d_.uniform(0, 6), middle = 30 * scale_;
    add(1, hu_.spleen, d_.uniform(1, 8), below([=](const Point& p) {
          const double bumps = lobes * std::sin(p[1] / waves + shift) * std::sin(p[2] / waves + 0.5 * shift);
          return std::max({whole(p) + bumps, -bed(p), -front(p), -hilum(p), p[0] + middle});
        }),
        centre, 190);
  }

  void pancreas() {
    const Point head = jitter({28, 18, -38}, 6), tail = jitter({-70, 2, -8}, 8);
    for (int i = 0; i <= 8; ++i) {
      const double t = i / 8.0, arch = 26 * std::sin(std::numbers::pi * t) * scale_, r = (13 - 4 * t) * scale_;
      const Point c{head[0] + t * (tail[0] - head[0]), head[1] + t * (tail[1] - head[1]) + arch, head[2] + t * (tail[2] - head[2])};
      add_ellipsoid(7, hu_.liver * 0.75 + 8, 12, c, {r * 1.2, r, r * 1.2}, turn(20));
    }
  }

  void bones() {
    const double y = -0.45 * half_y_, marrow = d_.uniform(110, 230), shell = d_.uniform(350, 650), period = d_.uniform(30, 37),
                 shift = d_.uniform(0, 37);
    const double rx = 21 * scale_, ry = 16 * scale_;
    const auto phase = [=](double z) { return std::remainder(z + shift, period); };
    add(0, d_.uniform(70, 110), 8, [=](const Point& p) { return tube({p[0], p[1] - y, 0}, rx - 1, ry - 1); });  // discs
    const Distance vertebra = [=](const Point& p) { return std::max(tube({p[0], p[1] - y, 0}, rx, ry), std::fabs(phase(p[2])) - 0.39 * period); };
    add(26, shell, 30, vertebra);
    add(26, marrow, 25, [=](const Point& p) { return vertebra(p) + 2.2; });
    const double back = y - ry - 11 * scale_, s = scale_;
    add(
        26, shell * 0.8, 40,
        [=](const Point& p) {  // arch and spinous process
          const double ring = std::fabs(tube({p[0], p[1] - back, 0}, 14 * s, 13 * s)) - 3;
          const double spine = std::max({std::fabs(p[0]) - 3.5, p[1] - back + 8, back - 42 * s - p[1]});
          return std::max(std::min(ring, spine), std::fabs(phase(p[2])) - 0.36 * period);
        },
        {0, back - 15, 0}, kEverywhere);
    add(0, d_.uniform(15, 45), 3, [=](const Point& p) { return tube({p[0], p[1] - back, 0}, 9 * s, 8 * s); });  // canal
    const double ex = inner_x() + 5, ey = inner_y() + 5, drop = d_.uniform(70, 110), gap = d_.uniform(26, 33), start = d_.uniform(0, 30),
                 thick = d_.uniform(4, 6);
    const double lowest = d_.uniform(-70, -20);
    for (double z0 = lowest + start; z0 < 260; z0 += gap) {
      const Distance rib = [=](const Point& p) {
        const double ring = tube(p, ex, ey);
        const double forward = (p[1] + ey) / (2 * ey);  // 0 at the back, 1 in front: ribs fall forwards
        const double height = (p[2] - (z0 - drop * forward)) * 0.85;
        const double open = z0 < lowest + 2 * gap ? forward - 0.55 : forward - 0.93;  // the lowest ribs float
        return std::max(std::sqrt(ring * ring * 0.6 + height * height * 0.45) - 0.75 * thick, open * ey);
      };
      add(92, shell * 0.9, 50, rib);
      tissues_.back().low = z0 - drop - 15, tissues_.back().high = z0 + 30;
      add(92, marrow * 0.8, 30, [=](const Point& p) { return rib(p) + 1.8; });
      tissues_.back().low = z0 - drop - 15, tissues_.back().high = z0 + 30;
    }
  }

  /// A sum of long waves: at most about 12 mm of shift.
  std::function<Point(const Point&)> draw_warp() {
    struct Wave {
      Point direction, shift;
      double phase;
    };
    std::vector<Wave> waves;
    for (int i = 0; i < 7; ++i) {
      const double k = 2 * std::numbers::pi / d_.uniform(90, 300), amplitude = d_.uniform(0, 3.2);
      Point n{d_.uniform(-1, 1), d_.uniform(-1, 1), d_.uniform(-1, 1)};
      const double l = length(n) + 1e-9;
      waves.push_back({{k * n[0] / l, k * n[1] / l, k * n[2] / l},
                       {amplitude * d_.uniform(-1, 1), amplitude * d_.uniform(-1, 1), amplitude * d_.uniform(-1, 1)},
                       d_.uniform(0, 2 * std::numbers::pi)});
    }
    const Rotation tilt = turn(6);
    return [=](const Point& q) {
      Point p = tilt(q);
      const Point at = p;
      for (const Wave& w : waves) {
        const double s = std::sin(at[0] * w.direction[0] + at[1] * w.direction[1] + at[2] * w.direction[2] + w.phase);
        for (int a = 0; a < 3; ++a) p[a] += w.shift[a] * s;
      }
      return p;
    };
  }

  Dice& d_;
  Contrast hu_;
  double half_x_, half_y_, fat_, wall_, scale_, dome_;
  double recess_;  ///< how far the lungs reach down along the wall, of the deepest
  std::size_t skin_ = 0;
  std::vector<Tissue> tissues_;
};

}  // namespace

Anatomy draw_anatomy(Dice& dice) { return Builder(dice).build(); }

}  // namespace vesal::image
