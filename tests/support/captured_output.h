#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <unistd.h>

#include <cstdio>
#include <string>

#include "support/catch.h"
#include "support/temporary_file.h"

namespace squall::testing {

// Collects what the process writes to a standard stream during its lifetime.
//
//     CapturedOutput output(STDERR_FILENO, stderr);
class CapturedOutput {
 public:
  CapturedOutput(int fd, std::FILE* stream)
      : fd_(fd), stream_(stream), saved_(::dup(fd)), file_(temporary_file("")) {
    std::fflush(stream_);
    REQUIRE(::dup2(file_.get(), fd_) == fd_);
  }
  ~CapturedOutput() {
    std::fflush(stream_);
    ::dup2(saved_.get(), fd_);
  }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

  std::string text() const {
    std::fflush(stream_);
    std::string text(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_END)), '\0');
    REQUIRE(::pread(file_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  int fd_;
  std::FILE* stream_;
  OwnedFd saved_;
  OwnedFd file_;
};

}  // namespace squall::testing
