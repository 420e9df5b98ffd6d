#include <squall/http/message/form.h>

#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

namespace squall::http {
namespace {

constexpr std::string_view kMultipart = "multipart/form-data";

// The body is complete, so the data of each part comes in at most one piece.
class Collector : public MultipartDelegate {
 public:
  explicit Collector(Form& form) noexcept : form_(form) {}

  void part_begin(const MultipartPart& part) override {
    is_file_ = part.is_file();
    if (is_file_) {
      form_.files.push_back({part.name, part.filename, part.content_type, {}});
    } else {
      form_.arguments.emplace_back(part.name, "");
    }
  }
  void part_data(std::string_view data) override {
    if (is_file_) {
      form_.files.back().body = data;
    } else {
      form_.arguments.back().second += data;
    }
  }
  void part_end() override {}

 private:
  Form& form_;
  bool is_file_ = false;
};

}  // namespace

MultipartFault parse_multipart(std::string_view content_type, std::string_view body, Form& form,
                               const MultipartLimits& limits) {
  form = {};
  if (!equals_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), kMultipart))
    return MultipartFault::wrong_type;
  MultipartParser parser(multipart_boundary(content_type).value_or(""), limits);
  Collector collector(form);
  if (parser.feed(body, collector) && parser.end()) return MultipartFault::none;
  form = {};
  return parser.fault();
}

std::string parse_form(const Headers& headers, std::string_view body, Form& form,
                       const MultipartLimits& limits, std::size_t max_arguments) {
  form = {};
  const std::string_view type = headers.find(HeaderId::content_type).value_or("");
  const auto begins = [type](std::string_view prefix) {
    return equals_ignoring_case(type.substr(0, prefix.size()), prefix);
  };
  const bool is_multipart = begins(kMultipart);
  if (!is_multipart && !begins("application/x-www-form-urlencoded")) return {};
  if (const auto encoding = headers.find("Content-Encoding"))
    return fmt::format("Unsupported Content-Encoding: {}", *encoding);
  if (is_multipart) {
    const MultipartFault fault = parse_multipart(type, body, form, limits);
    if (fault == MultipartFault::none) return {};
    return fmt::format("Invalid multipart/form-data: {}", describe(fault));
  }
  std::optional<QueryArguments> arguments = parse_query(body, max_arguments);
  if (!arguments) return "Too many arguments";
  form.arguments = std::move(*arguments);
  return {};
}

}  // namespace squall::http
