#include <squall/ioloop/reload/program_image.h>

namespace squall {

ProgramImage ProgramImage::of_this_process() { return {}; }

bool is_replaced(const std::string&) noexcept { return false; }

bool detail::is_open_for_writing(const std::string&) noexcept { return false; }

}  // namespace squall
