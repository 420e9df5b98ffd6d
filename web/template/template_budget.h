#pragma once

#include <squall/web/template/template_error.h>
#include <squall/web/template/template_limits.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace squall::web::detail {

// The steps that a run of a template has left.
class TemplateBudget {
 public:
  explicit TemplateBudget(const TemplateLimits& limits) noexcept
      : left_(limits.max_steps.value_or(std::numeric_limits<std::uint64_t>::max())) {}

  // Throws TemplateFailure of TemplateFault::limit if there are fewer.
  void spend(std::uint64_t steps = 1) {
    if (steps > left_) fail();
    left_ -= steps;
  }
  // For a text of that size.
  void spend_text(std::size_t bytes) { spend(bytes / 16); }

 private:
  [[noreturn]] void fail() {
    left_ = 0;
    throw TemplateFailure(TemplateFault::limit,
                          "the template has run for more than TemplateLimits::max_steps");
  }

  std::uint64_t left_;
};

}  // namespace squall::web::detail
