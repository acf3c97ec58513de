// What `vesal components` says, for every component of the build.
#include <gtest/gtest.h>

#include <cctype>

#include "base/registry.h"

namespace vesal {
namespace {

TEST(Components, AreAllDescribed) {
  ASSERT_GT(components::all().size(), 200u);
  for (const Component* c : components::all()) {
    ASSERT_FALSE(c->summary.empty()) << c->name;
    EXPECT_FALSE(std::islower(static_cast<unsigned char>(c->summary.front()))) << c->name << ": " << c->summary;
    EXPECT_FALSE(c->summary.ends_with('.')) << c->name << ": " << c->summary;
    for (const Param& p : c->params) EXPECT_FALSE(p.doc.empty()) << c->name << ": " << p.name;
  }
}

TEST(Components, WhatTakesTheRestStandsLast) {
  for (const Component* c : components::all())
    for (std::size_t i = 0; i + 1 < c->params.size(); ++i)
      EXPECT_FALSE(c->params[i].rest) << c->name << ": **" << c->params[i].name << " is not last";
}

}  // namespace
}  // namespace vesal
