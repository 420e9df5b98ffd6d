#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace squall {

// The first kMax of some pieces of bytes, as iovecs for a system call. Borrows the bytes.
class IoVectors {
 public:
  static constexpr std::size_t kMax = 16;

  explicit IoVectors(std::span<const std::string_view> pieces) noexcept
      : count_(std::min(pieces.size(), kMax)) {
    for (std::size_t i = 0; i < count_; ++i)
      vectors_[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  iovec* data() noexcept { return vectors_; }
  const iovec* data() const noexcept { return vectors_; }
  int count() const noexcept { return static_cast<int>(count_); }

 private:
  iovec vectors_[kMax];
  std::size_t count_;
};

}  // namespace squall
