#pragma once

#include <squall/web/template/template_limits.h>
#include <squall/web/template/template_value.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

class Template;

namespace detail {

class TemplateMachine;

}  // namespace detail

// Finds the value of a name that a template uses; null if there is none. The value must live as long as the
// run. Called once for each name that is neither an argument nor set by the template.
using TemplateLookup = std::function<const TemplateValue*(std::string_view name)>;

// One run of a template, piece by piece:
//
//     TemplateRun run(page, arguments);
//     while (run.resume(chunk, 16 * 1024)) {
//       write(chunk);
//       chunk.clear();
//       co_await flush();
//     }
//     write(chunk);
//
// Thread:    one thread at a time.
// Lifetime:  borrows `arguments` and `lookup`'s values; keeps the template's program and options.
// Errors:    TemplateRunError; after it the run has ended. std::bad_alloc.
class TemplateRun {
 public:
  // By the limits of the template's options unless `limits` says otherwise.
  TemplateRun(const Template& page, const TemplateArguments& arguments, TemplateLookup lookup = {},
              std::optional<TemplateLimits> limits = {});
  ~TemplateRun();
  TemplateRun(TemplateRun&& other) noexcept;
  TemplateRun& operator=(TemplateRun&& other) noexcept;

  // Runs until `out` has `until` bytes or more, or to the end, and returns false at the end. A try or an
  // apply of the template is always run to its end.
  bool resume(std::string& out, std::size_t until);

 private:
  std::unique_ptr<detail::TemplateMachine> machine_;
};

}  // namespace squall::web
