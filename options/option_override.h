#pragma once

#include <squall/options/option.h>

#include <utility>

namespace squall::options {

// Gives an option another value, for tests; the destructor gives it its former one (OPT-14). Both call the
// option's callback.
//
//     const OptionOverride fake(port, std::uint16_t{0});
//
// Lifetime:  borrows the option's parser.
// Errors:    Error if the value is not within the limits of the option. If the callback throws when the
//            former value is restored, the program ends.
template <OptionValue T>
class OptionOverride {
 public:
  OptionOverride(const Option<T>& option, const T& value)
      : option_(option), former_(*option), source_(option.source()) {
    option_.set(value);
  }
  OptionOverride(const OptionOverride&) = delete;
  OptionOverride& operator=(const OptionOverride&) = delete;
  ~OptionOverride() { option_.restore(former_, source_); }

 private:
  Option<T> option_;
  T former_;
  Source source_;
};

}  // namespace squall::options
