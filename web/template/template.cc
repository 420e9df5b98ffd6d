#include <squall/web/template/template.h>

#include <squall/web/template/template_compiler.h>
#include <squall/web/template/template_machine.h>
#include <squall/web/template/template_parser.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

namespace squall::web {
namespace {

constexpr std::size_t kMostReserved = std::size_t{1} << 20;

}  // namespace

Template::Template(std::string text, std::string name, TemplateOptions options)
    : name_(std::move(name)), options_(std::make_shared<const TemplateOptions>(std::move(options))) {
  const auto file =
      detail::TemplateParser::parse(name_, std::move(text), {options_->autoescape, options_->whitespace});
  program_ = detail::TemplateCompiler(nullptr, options_->libraries).compile(file);
}

Template::Template(std::string name, std::shared_ptr<const TemplateOptions> options,
                   std::shared_ptr<const detail::TemplateProgram> program)
    : name_(std::move(name)), options_(std::move(options)), program_(std::move(program)) {}

std::shared_ptr<const TemplateArguments> Template::shared_names() const noexcept {
  return {options_, &options_->names};
}

std::string Template::generate(const TemplateArguments& arguments, const TemplateLookup& lookup) const {
  std::string out;
  append_to(out, arguments, lookup);
  return out;
}

void Template::append_to(std::string& out, const TemplateArguments& arguments,
                         const TemplateLookup& lookup) const {
  const std::size_t start = out.size();
  out.reserve(start + std::min(program_->last_size.load(std::memory_order_relaxed), kMostReserved));
  try {
    detail::TemplateMachine(program_, {arguments, lookup, shared_names()}, options_->limits)
        .resume(out, std::numeric_limits<std::size_t>::max());
  } catch (...) {
    out.resize(start);
    throw;
  }
  program_->last_size.store(out.size() - start, std::memory_order_relaxed);
}

}  // namespace squall::web
