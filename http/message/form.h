#pragma once

#include <squall/http/message/headers.h>
#include <squall/http/message/multipart.h>
#include <squall/http/message/query.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// A file that a form has with it (HUT-37). Its name is what the client says: never use it as a path.
struct HTTPFile {
  std::string name;  // of the form's field
  std::string filename;
  std::string content_type;  // as the client says, `application/unknown` if it does not
  std::string_view body;     // into the form's body
};

// What a form's body says, in its order.
struct Form {
  QueryArguments arguments;
  std::vector<HTTPFile> files;
};

// All of a multipart/form-data body (HUT-62 to HUT-67). `content_type` is the header with its boundary. Upon
// a fault the form has nothing in it.
MultipartFault parse_multipart(std::string_view content_type, std::string_view body, Form& form,
                               const MultipartLimits& limits = {});

// The body of a request, of either type that forms have, by its Content-Type; any other is left alone, and
// the form is empty. Returns what is wrong, or an empty text if all is well: a malformed multipart body, more
// than `max_arguments` arguments, a Content-Encoding that nobody has undone (HUT-60 to HUT-62; SEC-20,
// SEC-26).
std::string parse_form(const Headers& headers, std::string_view body, Form& form,
                       const MultipartLimits& limits = {}, std::size_t max_arguments = 10'000);

}  // namespace squall::http
