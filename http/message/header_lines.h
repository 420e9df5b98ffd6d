#pragma once

#include <squall/http/message/headers.h>

#include <string_view>

namespace squall::http {

// Adds header lines to `headers` (HUT-10 to HUT-14): each ended by CRLF or LF, or by the end of the text;
// empty ones are skipped. Blanks around values are taken off; a line that begins with one goes on with the
// value of the line before (obs-fold, RFC 9112, 5.2). For blocks that did not come through a message's
// parser, as those of a multipart body. Returns what is wrong, and stops there, or an empty text if all is
// well. Linear time.
std::string_view parse_header_lines(std::string_view block, Headers& headers);

// One of those lines, with or without its end.
std::string_view parse_header_line(std::string_view line, Headers& headers);

}  // namespace squall::http
