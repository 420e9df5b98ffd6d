#pragma once

#include <squall/http/message/headers.h>

#include <string_view>

namespace squall::http {

// Adds the header lines of a block to `headers` (HUT-10 to HUT-14). A line ends with CRLF, LF or the end of
// the text; empty lines are skipped. Blanks around values are removed; a line that begins with a blank
// continues the value of the line before (obs-fold, RFC 9112, 5.2). For blocks that no message parser reads,
// as the heads of a multipart body. Returns an empty text, or the first fault, and stops there. Linear time.
std::string_view parse_header_lines(std::string_view block, Headers& headers);

// The same for one line, with or without its end.
std::string_view parse_header_line(std::string_view line, Headers& headers);

}  // namespace squall::http
