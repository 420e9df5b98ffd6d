#pragma once

#include <squall/http/message/headers.h>
#include <squall/http/message/multipart.h>
#include <squall/http/message/query.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// An uploaded file of a form (HUT-37). The client chooses the file name: never use it as a path.
struct HTTPFile {
  std::string name;  // of the form's field
  std::string filename;
  std::string content_type;  // as the client sent it, `application/unknown` by default
  std::string_view body;     // a view into the form's body
};

// The contents of a form's body, in its order.
struct Form {
  QueryArguments arguments;
  std::vector<HTTPFile> files;
};

// Parses a whole multipart/form-data body (HUT-62 to HUT-67). `content_type` is the header, with the
// boundary. After a fault the form is empty.
MultipartFault parse_multipart(std::string_view content_type, std::string_view body, Form& form,
                               const MultipartLimits& limits = {});

// Parses the body of a request by its Content-Type, multipart/form-data or application/x-www-form-urlencoded.
// The form of any other type is empty. Returns an empty text, or the fault: a malformed multipart body, more
// than `max_arguments` arguments, or a Content-Encoding (HUT-60 to HUT-62; SEC-20, SEC-26).
std::string parse_form(const Headers& headers, std::string_view body, Form& form,
                       const MultipartLimits& limits = {}, std::size_t max_arguments = 10'000);

}  // namespace squall::http
