#include <squall/options/global_options.h>

#include <squall/options/logging_options.h>

namespace squall::options {

OptionParser& global_options() {
  static OptionParser& parser = []() -> OptionParser& {
    auto* const made = new OptionParser;
    define_logging_options(*made);
    return *made;
  }();
  return parser;
}

}  // namespace squall::options
