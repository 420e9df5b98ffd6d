#pragma once

#include <squall/web/template/template_error.h>

#include <cstddef>
#include <string>
#include <utility>

namespace squall::web::detail {

// A file of templates as the parsers see it: its name, for errors, and its text. Places in it are offsets of
// bytes; an error makes line and column of them.
struct SourceText {
  std::string name;
  std::string text;

  [[noreturn]] void fail(std::size_t offset, std::string message) const {
    const TemplatePosition position = position_of(text, offset);
    throw TemplateParseError(std::move(message), name, position, std::string(line_of(text, position.line)));
  }
};

}  // namespace squall::web::detail
