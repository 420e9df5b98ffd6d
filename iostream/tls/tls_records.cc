#include <squall/iostream/tls/tls_records.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall::detail {

void TLSRecords::append(std::string_view bytes) {
  // The room of sent bytes is reused too: the peer may take only a few bytes at a time.
  if (block_.capacity() - end_ < bytes.size()) move_to(Block(std::max(size() + bytes.size(), size() * 2)));
  end_ += bytes.copy(block_.data() + end_, bytes.size());
}

std::size_t TLSRecords::consume(std::size_t count) noexcept {
  begin_ += count;
  std::size_t plain = 0;
  for (; records_begin_ < records_end_ && records_[records_begin_].end <= begin_; ++records_begin_)
    plain += records_[records_begin_].plain;
  return plain;
}

void TLSRecords::move_to(Block other) noexcept {
  if (!empty()) std::memcpy(other.data(), block_.data() + begin_, size());
  for (std::size_t i = records_begin_; i < records_end_; ++i) records_[i].end -= begin_;
  end_ -= begin_;
  begin_ = 0;
  block_ = std::move(other);
}

}  // namespace squall::detail
