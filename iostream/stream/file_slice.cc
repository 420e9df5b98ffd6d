#include <squall/iostream/stream/file_slice.h>

#include <squall/ioloop/base/errors.h>

#include <sys/stat.h>

#include <stdexcept>

namespace squall {

void FileSlice::check() const {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) throw_errno("write_file: fstat");
  if (!S_ISREG(status.st_mode)) throw std::invalid_argument("write_file() needs a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (offset > size || length > size - offset)
    throw std::invalid_argument("write_file() was told to send more than the file has");
}

}  // namespace squall
