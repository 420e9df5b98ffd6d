#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

// The containers of a Queue, which determine the order of its items. pop() must not be called on an empty
// container; push() has no effect if it throws.
namespace squall {

// First in, first out.
template <class T>
class FifoItems {
 public:
  static constexpr const char* kName = "Queue";

  std::size_t size() const noexcept { return items_.size(); }
  template <class Item>
  void push(Item&& item) {
    items_.push_back(std::forward<Item>(item));
  }
  T pop() noexcept {
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::deque<T> items_;
};

// Last in, first out.
template <class T>
class LifoItems {
 public:
  static constexpr const char* kName = "LifoQueue";

  std::size_t size() const noexcept { return items_.size(); }
  template <class Item>
  void push(Item&& item) {
    items_.push_back(std::forward<Item>(item));
  }
  T pop() noexcept {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T> items_;
};

// Smallest first, by `Compare`, which must not throw. Items that compare equal have no order.
template <class T, class Compare = std::less<T>>
class PriorityItems {
 public:
  static constexpr const char* kName = "PriorityQueue";

  std::size_t size() const noexcept { return items_.size(); }
  template <class Item>
  void push(Item&& item) {
    items_.push_back(std::forward<Item>(item));
    std::push_heap(items_.begin(), items_.end(), Later());
  }
  T pop() noexcept {
    std::pop_heap(items_.begin(), items_.end(), Later());
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  // The standard heap has its largest element in front.
  struct Later {
    bool operator()(const T& a, const T& b) const { return Compare()(b, a); }
  };

  std::vector<T> items_;
};

}  // namespace squall
