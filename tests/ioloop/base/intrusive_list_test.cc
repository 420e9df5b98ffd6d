#include <squall/ioloop/base/intrusive_list.h>

#include <algorithm>
#include <deque>
#include <list>
#include <memory>
#include <random>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "support/catch.h"

namespace squall::intrusive_list_test {
namespace {

struct Item : ListNode<> {
  explicit Item(int value) noexcept : value(value) {}
  int value;
};
using Items = IntrusiveList<Item>;

static_assert(sizeof(ListNode<>) == 2 * sizeof(void*));
static_assert(sizeof(Items) == 2 * sizeof(void*));
static_assert(std::bidirectional_iterator<Items::iterator> &&
              std::bidirectional_iterator<Items::const_iterator>);
static_assert(!std::is_copy_constructible_v<Item> && !std::is_move_assignable_v<Items>);

std::vector<int> values_of(const Items& items) {
  std::vector<int> result;
  for (const Item& item : items) result.push_back(item.value);
  // Backwards, over the other links.
  std::vector<int> reversed;
  for (auto at = items.end(); at != items.begin();) reversed.push_back((--at)->value);
  std::ranges::reverse(reversed);
  CHECK(result == reversed);
  return result;
}

TEST_CASE("objects are in the order in which they were pushed", "[intrusive_list]") {
  Items items;
  CHECK(items.empty());
  Item one(1);
  Item two(2);
  Item three(3);
  items.push_back(two);
  items.push_back(three);
  items.push_front(one);
  CHECK(values_of(items) == std::vector{1, 2, 3});
  CHECK(items.front().value == 1);
  CHECK(items.back().value == 3);
  CHECK_FALSE(items.empty());
  CHECK(two.linked());
}

TEST_CASE("an object unlinks itself from the front, the middle and the back without the list",
          "[intrusive_list]") {
  for (int gone = 0; gone < 3; ++gone) {
    Item item[] = {Item(0), Item(1), Item(2)};
    Items items;
    for (Item& each : item) items.push_back(each);
    item[gone].unlink();
    CHECK_FALSE(item[gone].linked());
    item[gone].unlink();  // does nothing
    std::vector<int> expected{0, 1, 2};
    expected.erase(expected.begin() + gone);
    CHECK(values_of(items) == expected);
  }
}

TEST_CASE("a destroyed object is no longer in its list", "[intrusive_list]") {
  Items items;
  auto one = std::make_unique<Item>(1);
  auto two = std::make_unique<Item>(2);
  items.push_back(*one);
  items.push_back(*two);
  one.reset();
  CHECK(values_of(items) == std::vector{2});
  two.reset();
  CHECK(items.empty());
}

TEST_CASE("a destroyed or cleared list leaves its objects in no list", "[intrusive_list]") {
  Item one(1);
  Item two(2);
  {
    Items items;
    items.push_back(one);
    items.push_back(two);
  }
  CHECK_FALSE(one.linked());
  CHECK_FALSE(two.linked());
  Items items;
  items.push_back(two);
  items.clear();
  CHECK(items.empty());
  CHECK_FALSE(two.linked());
}

TEST_CASE("objects are popped from both ends", "[intrusive_list]") {
  Item one(1);
  Item two(2);
  Item three(3);
  Items items;
  for (Item* item : {&one, &two, &three}) items.push_back(*item);
  CHECK(&items.pop_front() == &one);
  CHECK_FALSE(one.linked());
  CHECK(&items.pop_back() == &three);
  CHECK_FALSE(three.linked());
  CHECK(values_of(items) == std::vector{2});
}

TEST_CASE("an object is inserted before another one, and moved to the back from any place",
          "[intrusive_list]") {
  Item one(1);
  Item two(2);
  Item three(3);
  Items items;
  items.push_back(three);
  items.insert_before(Items::iterator_to(three), one);
  items.insert_before(Items::iterator_to(three), two);
  CHECK(values_of(items) == std::vector{1, 2, 3});
  items.move_to_back(one);
  CHECK(values_of(items) == std::vector{2, 3, 1});
  items.move_to_back(one);
  CHECK(values_of(items) == std::vector{2, 3, 1});
  Items others;
  others.move_to_back(three);
  CHECK(values_of(items) == std::vector{2, 1});
  CHECK(values_of(others) == std::vector{3});
  Item last(4);
  items.insert_before(items.end(), last);
  CHECK(values_of(items) == std::vector{2, 1, 4});
}

TEST_CASE("splicing moves all objects of a list to one end of another", "[intrusive_list]") {
  Item item[] = {Item(0), Item(1), Item(2), Item(3), Item(4)};
  Items first;
  Items second;
  Items third;
  first.splice_back(second);
  CHECK(first.empty());
  first.push_back(item[0]);
  first.push_back(item[1]);
  second.push_back(item[2]);
  second.splice_front(first);
  CHECK(first.empty());
  CHECK(values_of(second) == std::vector{0, 1, 2});
  third.push_back(item[3]);
  third.push_back(item[4]);
  second.splice_back(third);
  CHECK(third.empty());
  CHECK(values_of(second) == std::vector{0, 1, 2, 3, 4});
  first.splice_front(second);
  CHECK(second.empty());
  CHECK(values_of(first) == std::vector{0, 1, 2, 3, 4});
}

TEST_CASE("a moved object takes over the place in the list", "[intrusive_list]") {
  Item one(1);
  Item two(2);
  Item three(3);
  Items items;
  for (Item* item : {&one, &two, &three}) items.push_back(*item);
  Item moved(20);
  moved.take_place_of(two);
  CHECK_FALSE(two.linked());
  CHECK(values_of(items) == std::vector{1, 20, 3});
  Item alone(4);
  two.take_place_of(alone);  // in no list, and so is `two`
  CHECK_FALSE(two.linked());
}

struct Waiting;
struct Dated;
struct Twice : ListNode<Waiting>, ListNode<Dated> {};

TEST_CASE("an object with two tags is in two lists", "[intrusive_list]") {
  IntrusiveList<Twice, Waiting> waiting;
  IntrusiveList<Twice, Dated> dated;
  {
    Twice both;
    waiting.push_back(both);
    dated.push_back(both);
    both.ListNode<Waiting>::unlink();
    CHECK(waiting.empty());
    CHECK(&dated.front() == &both);
  }
  CHECK(dated.empty());
}

TEST_CASE("for_each visits the objects in order, and keeps the order", "[intrusive_list]") {
  Items items;
  std::deque<Item> nodes;
  for (int i = 0; i < 4; ++i) items.push_back(nodes.emplace_back(i));
  std::vector<int> seen;
  items.for_each([&](Item& item) { seen.push_back(item.value); });
  CHECK(seen == std::vector{0, 1, 2, 3});
  CHECK(values_of(items) == std::vector{0, 1, 2, 3});
}

TEST_CASE("a visit may destroy its object, the next, the last, and all of them", "[intrusive_list]") {
  for (int victim = 0; victim < 5; ++victim) {
    Items items;
    std::vector<std::unique_ptr<Item>> nodes;
    for (int i = 0; i < 4; ++i) items.push_back(*nodes.emplace_back(std::make_unique<Item>(i)));
    std::vector<int> seen;
    items.for_each([&](Item& item) {
      seen.push_back(item.value);
      if (seen.size() > 1) return;
      if (victim < 4) {
        nodes[static_cast<std::size_t>(victim)].reset();
      } else {
        nodes.clear();
      }
    });
    std::vector<int> left{0, 1, 2, 3};
    if (victim < 4) {
      left.erase(left.begin() + victim);
      CHECK(seen == (victim == 0 ? std::vector{0, 1, 2, 3} : [&] {
              std::vector<int> expected{0, 1, 2, 3};
              expected.erase(expected.begin() + victim);
              return expected;
            }()));
    } else {
      left.clear();
      CHECK(seen == std::vector{0});
    }
    CHECK(values_of(items) == left);
  }
}

TEST_CASE("objects that a visit adds are not visited, and are behind the others", "[intrusive_list]") {
  Items items;
  std::list<Item> nodes;
  for (int i = 0; i < 3; ++i) items.push_back(nodes.emplace_back(i));
  std::vector<int> seen;
  items.for_each([&](Item& item) {
    seen.push_back(item.value);
    items.push_back(nodes.emplace_back(item.value + 10));
    if (item.value == 0) items.move_to_back(item);  // counts as added
  });
  CHECK(seen == std::vector{0, 1, 2});
  CHECK(values_of(items) == std::vector{1, 2, 10, 0, 11, 12});
}

TEST_CASE("a visit that throws leaves all objects in the list", "[intrusive_list]") {
  Items items;
  std::deque<Item> nodes;
  for (int i = 0; i < 4; ++i) items.push_back(nodes.emplace_back(i));
  CHECK_THROWS_AS(items.for_each([](const Item& item) {
    if (item.value == 1) throw std::runtime_error("no");
  }),
                  std::runtime_error);
  CHECK(values_of(items) == std::vector{0, 1, 2, 3});
}

TEST_CASE("a list agrees with std::list over random operations", "[intrusive_list]") {
  std::minstd_rand random(1);
  Items items;
  std::list<int> model;
  std::vector<std::unique_ptr<Item>> nodes(16);
  for (int step = 0; step < 5000; ++step) {
    const std::size_t which = random() % nodes.size();
    const int value = static_cast<int>(which);
    switch (random() % 4) {
      case 0:
      case 1:
        model.remove(value);
        nodes[which] = std::make_unique<Item>(value);
        if (random() % 2 == 0) {
          items.push_back(*nodes[which]);
          model.push_back(value);
        } else {
          items.push_front(*nodes[which]);
          model.push_front(value);
        }
        break;
      case 2:
        model.remove(value);
        nodes[which].reset();
        break;
      default:
        if (model.empty()) break;
        items.pop_front();
        model.pop_front();
    }
    REQUIRE(std::ranges::equal(items, model, {}, &Item::value));
  }
}

}  // namespace
}  // namespace squall::intrusive_list_test
