#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <string_view>

namespace squall::testing {

// A file that has `content` and no name, open for reading and writing. Closing it deletes it.
OwnedFd temporary_file(std::string_view content);

}  // namespace squall::testing
