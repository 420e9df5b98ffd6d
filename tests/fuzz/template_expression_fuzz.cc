// Expressions of templates, and the places of a page: the input is an expression, whose value is written at
// every kind of place. No value may leave its place.

#include <squall/web/template/template.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

TemplateOptions options() {
  TemplateOptions options;
  options.limits = {.max_steps = 20'000, .max_output = 100'000};
  return options;
}

std::string render(const std::string& text, const TemplateArguments& arguments) {
  return Template(text, "page.html", options()).generate(arguments);
}

// The value of the expression; null for an error.
TemplateValue evaluate(const std::string& expression) {
  TemplateValue result;
  const TemplateValue keep = TemplateValue::function([&](const TemplateCall& call) {
    if (const TemplateValue* const value = call.at(0)) result = *value;
    return "";
  });
  try {
    Template("{% raw keep((" + expression + ")) %}", "t.txt", options())
        .generate({{"keep", keep},
                   {"t", "a text"},
                   {"n", 7},
                   {"l", TemplateValue::list({3, 1, 2})},
                   {"m", TemplateValue::map({{"k", "v"}})}});
  } catch (const TemplateError&) {
  }
  return result;
}

// The text between the two marks is the written value.
std::string written_at(const std::string& before, const std::string& after, const TemplateValue& value) {
  const std::string page = render("{% whitespace all %}" + before + "{{ v }}" + after, {{"v", value}});
  FUZZ_CHECK(page.starts_with(before) && page.ends_with(after));
  return page.substr(before.size(), page.size() - before.size() - after.size());
}

void check_places(const TemplateValue& value) {
  const auto has = [](const std::string& text, std::string_view what) {
    return text.find(what) != text.npos;
  };
  const auto has_any = [](const std::string& text, std::string_view characters) {
    return text.find_first_of(characters) != text.npos;
  };
  FUZZ_CHECK(!has_any(written_at("<p>", "</p>", value), "<>\"'"));
  FUZZ_CHECK(!has_any(written_at("<p title='", "'>", value), "<>\"'"));
  FUZZ_CHECK(!has_any(written_at("<!--", "-->", value), "<>-"));
  const std::string script = written_at("<script>a = ", ";</script>", value);
  FUZZ_CHECK(!has_any(script, "<>&'\n\r") && !has(script, "\xE2\x80\xA8"));
  FUZZ_CHECK(!has_any(written_at("<p onclick=\"f(", ")\">", value), "<>\"'\n"));
  FUZZ_CHECK(!has_any(written_at("<style>p { width: ", "; }</style>", value), "<>&\"'(){};:\\/*"));
  const std::string url = written_at("<a href=\"", "\">", value);
  const std::size_t colon = url.find_first_of(":/?#");
  if (colon != url.npos && url[colon] == ':') {
    FUZZ_CHECK(!has(url.substr(0, colon), "script") && !has(url.substr(0, colon), "SCRIPT"));
  }
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    squall::web::check_places(squall::web::evaluate(text));
    squall::web::check_places(text);
  } catch (const squall::web::TemplateRunError& error) {
    // A large value has more output than the limit.
    FUZZ_CHECK(error.fault() == squall::web::TemplateFault::limit);
  }
  return 0;
}
