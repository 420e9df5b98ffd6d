#pragma once

#include <squall/web/template/expression.h>
#include <squall/web/template/html_context.h>

#include <optional>
#include <string_view>

namespace squall::web::detail {

// Where the text of a file of that name begins: as HTML for .html, .htm and a name without a dot, as XML for
// .xhtml, .svg and .xml, as a script for .js, .mjs and .json, as a style for .css. Letters of any case.
// nullopt for others, whose values are escaped without regard to their place.
std::optional<HtmlContext> context_of_page(std::string_view file);

// Whether the expression's value can only be one of the template's own words: letters, digits, `-` and `_`.
bool is_word(const Expression& expression) noexcept;
// Whether the expression is `json_encode(value)`.
bool is_json_encode(const Expression& expression) noexcept;

}  // namespace squall::web::detail
