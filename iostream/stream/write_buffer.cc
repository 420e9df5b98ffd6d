#include <squall/iostream/stream/write_buffer.h>

#include <squall/ioloop/base/sanitizer.h>
#include <squall/iostream/socket/file.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace squall {
namespace {

constexpr std::size_t kFirst = 4096;  // room for several small responses

// A buffer that the next take() returns. Trivially destructible, because streams that are destroyed after the
// thread's last turn use it too.
constinit thread_local WriteBuffer* t_spare = nullptr;
constinit thread_local bool t_ended = false;

struct SpareCloser {
  ~SpareCloser() {
    t_ended = true;
    delete std::exchange(t_spare, nullptr);
  }
};

}  // namespace

[[gnu::hot]] std::unique_ptr<WriteBuffer> WriteBuffer::take() {
  if (!t_spare) [[unlikely]] {
    [[maybe_unused]] static thread_local const SpareCloser closer;  // destroyed when the thread ends
    return std::make_unique<WriteBuffer>();
  }
  return std::unique_ptr<WriteBuffer>(std::exchange(t_spare, nullptr));
}

[[gnu::hot]] void WriteBuffer::give_back(std::unique_ptr<WriteBuffer> buffer) noexcept {
  if (kAddressSanitizer || t_spare || t_ended || buffer->block_.capacity() > Block::kLargest) [[unlikely]]
    return;
  buffer->begin_ = buffer->end_ = 0;
  buffer->behind_.clear();
  buffer->front_ = 0;
  t_spare = buffer.release();
}

void WriteBuffer::make_room(std::size_t count) {
  const std::size_t pending = end_ - begin_;
  if (block_.capacity() - pending >= count && pending <= begin_) {
    std::memmove(block_.data(), block_.data() + begin_, pending);
  } else {
    // Doubled, so that each byte of many small writes is copied a bounded number of times.
    Block larger(std::max({kFirst, pending + count, pending * 2}));
    if (pending > 0) std::memcpy(larger.data(), block_.data() + begin_, pending);
    block_ = std::move(larger);
  }
  begin_ = 0;
  end_ = pending;
}

// ---- Pieces.

std::string_view WriteBuffer::Piece::view() const noexcept {
  std::string_view whole;
  if (const auto* copied = std::get_if<Copied>(&bytes)) {
    whole = {copied->block.data(), copied->end};
  } else if (const auto* moved = std::get_if<std::string>(&bytes)) {
    whole = *moved;
  } else if (const auto* shared = std::get_if<SharedBytes>(&bytes)) {
    whole = **shared;
  }
  return whole.substr(begin);
}

std::uint64_t WriteBuffer::Piece::size() const noexcept {
  const auto* const file = std::get_if<FileSlice>(&bytes);
  return file ? file->length : view().size();
}

void WriteBuffer::append_piece(Piece piece) {
  const std::uint64_t size = piece.size();
  const bool is_file = std::holds_alternative<FileSlice>(piece.bytes);
  // Drops a piece that was reserved and not used.
  if (!behind_.empty() && behind_.back().size() == 0) behind_.pop_back();
  behind_.push_back(std::move(piece));
  behind_size_ += size;
  if (is_file) file_size_ += size;
}

std::size_t WriteBuffer::capacity() const noexcept {
  std::size_t sum = block_.capacity();
  for (const Piece& piece : behind_)
    if (const auto* copied = std::get_if<Copied>(&piece.bytes)) sum += copied->block.capacity();
  return sum;
}

void WriteBuffer::append(std::string&& data, std::size_t begin) {
  behind_.reserve(behind_.size() + 1);  // so that append_piece() cannot throw and lose the string
  append_piece({std::move(data), begin});
}

void WriteBuffer::append(SharedBytes data, std::size_t begin) { append_piece({std::move(data), begin}); }
void WriteBuffer::append(FileSlice file) { append_piece({std::move(file)}); }

// Often only a short header is between two large pieces, so the first block is the smallest. Further copied
// bytes get larger blocks.
char* WriteBuffer::reserve_behind(std::size_t count) {
  auto* last = std::get_if<Copied>(&behind_.back().bytes);
  if (!last || last->block.capacity() - last->end < count) {
    const std::size_t wanted = last ? std::min(kFirst, last->block.capacity() * 4) : Block::kSmallest;
    append_piece({Copied{Block(std::max(wanted, count))}});
    last = std::get_if<Copied>(&behind_.back().bytes);
  }
  return last->block.data() + last->end;
}

void WriteBuffer::commit_behind(std::size_t count) noexcept {
  std::get_if<Copied>(&behind_.back().bytes)->end += count;
  behind_size_ += count;
}

std::size_t WriteBuffer::gather(std::span<std::string_view> pieces) const noexcept {
  std::size_t count = 0;
  if (begin_ < end_) pieces[count++] = {block_.data() + begin_, end_ - begin_};
  for (std::size_t i = front_; i < behind_.size() && count < pieces.size(); ++i) {
    if (std::holds_alternative<FileSlice>(behind_[i].bytes)) break;
    pieces[count++] = behind_[i].view();
  }
  return count;
}

const FileSlice* WriteBuffer::next_file() const noexcept {
  if (begin_ < end_ || front_ == behind_.size()) return nullptr;
  return std::get_if<FileSlice>(&behind_[front_].bytes);
}

ssize_t WriteBuffer::load_file(std::size_t count) {
  auto& file = std::get<FileSlice>(behind_[front_].bytes);
  begin_ = end_ = 0;
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, file.length));
  if (block_.capacity() < count) block_ = Block(count);
  const ssize_t got = read_file(file.fd.get(), {block_.data(), count}, file.offset);
  if (got <= 0) return got;
  const auto loaded = static_cast<std::uint64_t>(got);
  end_ = loaded;
  file.offset += loaded;
  file.length -= loaded;
  file_size_ -= loaded;
  behind_size_ -= loaded;
  if (file.length == 0) drop_front();
  return got;
}

void WriteBuffer::consume_behind(std::uint64_t count) noexcept {
  count -= end_ - begin_;
  begin_ = end_;
  behind_size_ -= count;
  while (count > 0) {
    Piece& piece = behind_[front_];
    const std::uint64_t taken = std::min(count, piece.size());
    count -= taken;
    if (auto* file = std::get_if<FileSlice>(&piece.bytes)) {
      file->offset += taken;
      file->length -= taken;
      file_size_ -= taken;
    } else {
      piece.begin += static_cast<std::size_t>(taken);
    }
    if (piece.size() == 0) drop_front();
  }
}

// Frees the piece's memory now. The entries of sent pieces are removed once they are half of the list.
void WriteBuffer::drop_front() noexcept {
  behind_[front_].bytes = Copied();
  ++front_;
  if (front_ == behind_.size()) {
    behind_.clear();
    front_ = 0;
  } else if (front_ >= 64 && front_ * 2 >= behind_.size()) {
    behind_.erase(behind_.begin(), behind_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
}

}  // namespace squall
