#include <squall/web/handler/file_saver.h>

#include <squall/ioloop/process/run_in_executor.h>
#include <squall/web/handler/partial_file.h>

#include <cstddef>
#include <utility>

namespace squall::web {
namespace {

// Bytes that are written at once.
constexpr std::size_t kBlock = 256 * 1024;

std::shared_ptr<PartialFile> make_file(const std::string& path) {
  return std::make_shared<PartialFile>(path);
}

// Returns the block empty, with its memory.
std::string append_to(const std::shared_ptr<PartialFile>& file, std::string block) {
  file->append(block);
  block.clear();
  return block;
}

void close_file(const std::shared_ptr<PartialFile>& file) { file->close(); }

}  // namespace

FileSaver::FileSaver() = default;
FileSaver::~FileSaver() = default;

Task<> FileSaver::open(std::string path) { file_ = co_await run_in_executor(make_file, std::move(path)); }

Task<> FileSaver::append(std::string_view piece) {
  block_ += piece;
  size_ += piece.size();
  if (block_.size() >= kBlock) co_await write_block();
}

Task<std::uint64_t> FileSaver::keep() {
  co_await write_block();
  co_await run_in_executor(close_file, file_);
  // Not on the other thread: if the task is destroyed meanwhile, nobody knows of the file.
  file_->keep();
  co_return size_;
}

Task<> FileSaver::write_block() { block_ = co_await run_in_executor(append_to, file_, std::move(block_)); }

}  // namespace squall::web
