#include <squall/ioloop/base/free_list.h>

#include <memory>

#include "support/catch.h"

namespace squall::free_list_test {
namespace {

struct Counted {
  explicit Counted(int& alive) : count(alive) { ++count; }
  ~Counted() { --count; }
  int& count;
};

TEST_CASE("a free list returns the objects given back, the last one first", "[free_list]") {
  int alive = 0;
  FreeList<Counted, 2> list;
  CHECK(list.take() == nullptr);
  auto one = std::make_unique<Counted>(alive);
  auto two = std::make_unique<Counted>(alive);
  Counted* const first = one.get();
  Counted* const second = two.get();
  list.give_back(std::move(one));
  list.give_back(std::move(two));
  CHECK(list.size() == 2);
  CHECK(list.take().get() == second);  // and is destroyed
  CHECK(alive == 1);
  CHECK(list.take().get() == first);
  CHECK(list.take() == nullptr);
}

TEST_CASE("a full free list destroys a returned object, and the destructor those that it keeps",
          "[free_list]") {
  int alive = 0;
  {
    FreeList<Counted, 2> list;
    for (int i = 0; i < 3; ++i) list.give_back(std::make_unique<Counted>(alive));
    CHECK(list.size() == 2);
    CHECK(alive == 2);
  }
  CHECK(alive == 0);
}

}  // namespace
}  // namespace squall::free_list_test
