#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace squall {

// Keeps up to `kKept` unused objects, so that a program that needs them again and again does not allocate.
// The caller resets an object before it gives it back, or after it has taken it.
//
// Result:    take() returns the object that was given back last. Nothing here allocates or throws.
// Thread:    one.
// Lifetime:  owns the objects it keeps.
template <class T, std::size_t kKept>
class FreeList {
 public:
  FreeList() noexcept = default;
  ~FreeList() {
    while (take()) {
    }
  }
  FreeList(const FreeList&) = delete;
  FreeList& operator=(const FreeList&) = delete;

  // Null if the list is empty.
  std::unique_ptr<T> take() noexcept { return std::unique_ptr<T>(size_ == 0 ? nullptr : objects_[--size_]); }
  // Destroys `object` if the list is full.
  void give_back(std::unique_ptr<T> object) noexcept {
    if (size_ < kKept) objects_[size_++] = object.release();
  }
  std::size_t size() const noexcept { return size_; }

 private:
  // Not std::unique_ptr, which would be cleared and compared with null at each use.
  std::array<T*, kKept> objects_{};
  std::size_t size_ = 0;
};

}  // namespace squall
