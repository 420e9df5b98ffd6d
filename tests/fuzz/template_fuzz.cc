// The parser and the compiler of templates, and a run with limits. Input: the template; behind a 0x00 byte a
// second file, `inc`, which the first may include or extend.

#include <squall/web/template/template_loader.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

constexpr std::size_t kMostOutput = 100'000;

const TemplateArguments& arguments() {
  static const TemplateArguments kArguments = {
      {"x", "<a b='c'>\"&javascript:x</script>"},
      {"n", 3},
      {"f", 2.5},
      {"l", TemplateValue::list({1, "b", TemplateValue::list({2})})},
      {"m", TemplateValue::map({{"a", 1}, {"b", TemplateValue::list({"c"})}})}};
  return kArguments;
}

// The output, or nothing for an error, which must have a place in a file.
std::string run(TemplateLoader& loader, const std::string& name) {
  try {
    return loader.load(name)->generate(arguments());
  } catch (const TemplateError& error) {
    FUZZ_CHECK(error.position().line >= 1 && error.position().column >= 1 && !error.message().empty());
    return {};
  } catch (const TemplateNotFoundError&) {
    return {};
  }
}

// In pieces the output is the same.
void check_pieces(TemplateLoader& loader, const std::string& name, const std::string& whole) {
  try {
    const auto page = loader.load(name);
    TemplateRun pieces(*page, arguments());
    std::string out;
    std::size_t until = 1;
    while (pieces.resume(out, until)) until = out.size() + 7;
    FUZZ_CHECK(out == whole);
  } catch (const TemplateError&) {
    FUZZ_CHECK(whole.empty());
  }
}

void check(std::string_view input) {
  const std::size_t zero = input.find('\0');
  std::map<std::string, std::string> files = {
      {"a.html", std::string(input.substr(0, zero))},
      {"inc", zero == input.npos ? "" : std::string(input.substr(zero + 1))}};
  files["a.txt"] = files["a.html"];
  TemplateOptions options;
  options.limits = {.max_steps = 20'000, .max_output = kMostOutput};
  TemplateLoader loader(std::make_unique<MapTemplates>(files), options);
  for (const char* name : {"a.html", "a.txt"}) {
    const std::string whole = run(loader, name);
    FUZZ_CHECK(whole.size() <= kMostOutput);
    check_pieces(loader, name, whole);
  }
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::web::check(text);
  return 0;
}
