#pragma once

#include <squall/web/template/source_text.h>
#include <squall/web/template/template_value.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::web::detail {

struct ExpressionToken {
  enum class Kind : std::uint8_t { name, constant, symbol, end };
  Kind kind = Kind::end;
  std::size_t offset = 0;   // in the file
  std::string_view text{};  // of a name or a symbol
  TemplateValue value{};    // of a constant: a number or a text
};

// Splits the expression of a tag into names, numbers, strings and symbols.
//
// Errors:    TemplateParseError for other characters, and for strings and numbers that are wrong.
class ExpressionLexer {
 public:
  // `begin` and `end` are offsets in the file.
  ExpressionLexer(const SourceText& source, std::size_t begin, std::size_t end) noexcept
      : source_(source), at_(begin), end_(end) {}

  ExpressionToken next();

 private:
  std::string_view rest() const noexcept { return std::string_view(source_.text).substr(at_, end_ - at_); }
  ExpressionToken number();
  ExpressionToken string();
  void append_escape(std::string& to);

  const SourceText& source_;
  std::size_t at_;
  std::size_t end_;
};

}  // namespace squall::web::detail
