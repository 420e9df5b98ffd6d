#include <squall/web/template/page_kind.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <array>
#include <string>

namespace squall::web::detail {

std::optional<HtmlContext> context_of_page(std::string_view file) {
  static constexpr std::array<std::string_view, 2> kHtml = {"html", "htm"};
  static constexpr std::array<std::string_view, 3> kXml = {"xhtml", "svg", "xml"};
  static constexpr std::array<std::string_view, 3> kScript = {"js", "mjs", "json"};
  file.remove_prefix(file.rfind('/') + 1);
  const std::size_t dot = file.rfind('.');
  if (dot == file.npos) return HtmlContext();
  std::string extension(file.substr(dot + 1));
  std::transform(extension.begin(), extension.end(), extension.begin(), to_lower);
  const auto is_one_of = [&](const auto& names) {
    return std::find(names.begin(), names.end(), extension) != names.end();
  };
  if (is_one_of(kHtml)) return HtmlContext();
  if (is_one_of(kXml)) return HtmlContext(HtmlContext::Start::xml);
  if (is_one_of(kScript)) return HtmlContext(HtmlContext::Start::script);
  if (extension == "css") return HtmlContext(HtmlContext::Start::css);
  return std::nullopt;
}

bool is_word(const Expression& expression) noexcept {
  if (expression.kind == Expression::Kind::conditional)
    return is_word(*expression.items[1]) && is_word(*expression.items[2]);
  const std::string* const text = expression.constant.as_text();
  if (expression.kind != Expression::Kind::constant || !text) return false;
  return std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_json_encode(const Expression& expression) noexcept {
  return expression.kind == Expression::Kind::call && expression.items.size() == 2 &&
         expression.names.empty() && expression.items[0]->kind == Expression::Kind::name &&
         expression.items[0]->name == "json_encode";
}

}  // namespace squall::web::detail
