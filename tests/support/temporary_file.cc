#include "support/temporary_file.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "support/catch.h"

namespace squall::testing {

OwnedFd temporary_file(std::string_view content) {
  char name[] = "/tmp/squall-test-XXXXXX";
  OwnedFd file(::mkostemp(name, 0));
  REQUIRE(file);
  ::unlink(name);
  for (std::size_t written = 0; written < content.size();) {
    const auto count = ::write(file.get(), content.data() + written, content.size() - written);
    REQUIRE(count > 0);
    written += static_cast<std::size_t>(count);
  }
  return file;
}

}  // namespace squall::testing
