#include <squall/web/auth/openid2_client.h>

#include <squall/http/message/url.h>
#include <squall/http/message/url_text.h>
#include <squall/web/auth/provider_fetch.h>
#include <squall/web/auth/provider_json.h>
#include <squall/web/auth/sign_in_state.h>
#include <squall/web/handler/local_path.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace squall::web {
namespace {

using Fault = AuthError::Fault;

constexpr std::string_view kProtocol = "http://specs.openid.net/auth/2.0";
constexpr std::string_view kAnyIdentifier = "http://specs.openid.net/auth/2.0/identifier_select";
constexpr std::string_view kAttributeExchange = "http://openid.net/srv/ax/1.0";
// A longer answer counts as one without fields.
constexpr std::size_t kMostFields = 200;
// The argument of the callback by which it belongs to a sign-in.
constexpr std::string_view kStateArgument = "sign_in_state";

struct Attribute {
  std::string_view asked;  // the member of OpenID2AuthenticateOptions::attributes
  std::string_view alias;
  std::string_view type;
};
constexpr std::array<Attribute, 6> kAttributes = {{
    {"name", "firstname", "http://axschema.org/namePerson/first"},
    {"name", "fullname", "http://axschema.org/namePerson"},
    {"name", "lastname", "http://axschema.org/namePerson/last"},
    {"email", "email", "http://axschema.org/contact/email"},
    {"language", "language", "http://axschema.org/pref/language"},
    {"username", "username", "http://axschema.org/namePerson/friendly"},
}};

// The fields of an answer: `openid.mode` and others.
class Answer {
 public:
  explicit Answer(RequestHandler& handler)
      : fields_(http::parse_query(handler.request().query(), kMostFields).value_or(http::QueryArguments())) {}

  // Empty without the field. A field that comes twice counts as missing: two readers could take different
  // values.
  std::string find(std::string_view name) const {
    const std::string* found = nullptr;
    for (const auto& [key, value] : fields_) {
      if (!key.starts_with("openid.") || std::string_view(key).substr(7) != name) continue;
      if (found) return {};
      found = &value;
    }
    return found ? *found : std::string();
  }
  // The same for a field that the provider has signed.
  std::string find_signed(std::string_view name) const {
    const std::string names = "," + find("signed") + ",";
    return names.find(fmt::format(",{},", name)) != names.npos ? find(name) : std::string();
  }
  // The value of the attribute of a type: of the extension whose namespace is attribute exchange.
  std::string attribute(std::string_view type) const {
    std::string extension;
    for (const auto& [key, value] : fields_)
      if (key.starts_with("openid.ns.") && value == kAttributeExchange) extension = key.substr(10);
    if (extension.empty() || find_signed("ns." + extension).empty()) return {};
    const std::string prefix = "openid." + extension + ".type.";
    for (const auto& [key, value] : fields_) {
      if (value != type || !key.starts_with(prefix)) continue;
      const std::string alias = key.substr(prefix.size());
      if (find_signed(fmt::format("{}.type.{}", extension, alias)) != type) continue;
      std::string found = find_signed(fmt::format("{}.value.{}", extension, alias));
      return found.empty() ? find_signed(fmt::format("{}.value.{}.1", extension, alias)) : found;
    }
    return {};
  }
  // The provider verifies lines of names and values: a line feed would make two fields of one.
  bool has_line_feed() const {
    return std::any_of(fields_.begin(), fields_.end(), [](const auto& field) {
      return field.first.starts_with("openid.") &&
             (field.first + field.second).find('\n') != std::string::npos;
    });
  }
  // For the provider, which verifies the answer (AUT-02).
  http::QueryArguments for_check() const {
    http::QueryArguments form;
    for (const auto& [key, value] : fields_)
      if (key.starts_with("openid.") && key != "openid.mode") form.emplace_back(key, value);
    form.emplace_back("openid.mode", "check_authentication");
    return form;
  }

 private:
  http::QueryArguments fields_;
};

void check_mode(const Answer& answer) {
  const std::string mode = answer.find("mode");
  if (mode == "id_res") return;
  if (mode == "cancel") throw AuthError(Fault::refused, "the user has refused");
  throw AuthError(Fault::refused,
                  fmt::format("the provider refused: {}",
                              detail::describe_provider_error("openid.mode " + mode, answer.find("error"))));
}

// A provider signs at least these fields (OpenID Authentication 2.0, 10.1 and 11).
void check_answer(const Answer& answer, const OpenID2Options& options, const std::string& return_to) {
  if (answer.find("ns") != kProtocol)
    throw AuthError(Fault::request, "the answer is not of OpenID 2.0 (openid.ns)");
  if (answer.has_line_feed()) throw AuthError(Fault::request, "the answer has a line feed in a field");
  for (const char* name : {"claimed_id", "identity", "response_nonce"})
    if (answer.find_signed(name).empty())
      throw AuthError(Fault::request, fmt::format("the answer has no signed openid.{}", name));
  if (answer.find_signed("op_endpoint") != options.endpoint)
    throw AuthError(Fault::request, "the answer is of another provider (openid.op_endpoint)");
  if (answer.find_signed("return_to") != return_to)
    throw AuthError(Fault::request, "the answer is for another URL (openid.return_to)");
  const std::string identifier = answer.find_signed("claimed_id");
  const auto& prefixes = options.identifier_prefixes;
  const auto begins = [&](const std::string& prefix) { return identifier.starts_with(prefix); };
  if (!prefixes.empty() && std::none_of(prefixes.begin(), prefixes.end(), begins))
    throw AuthError(Fault::request, "the provider may not give this identifier (openid.claimed_id)");
}

// Whole lines, not parts of them (SEC-76), which do not say yes and no.
bool says_valid(std::string_view body) {
  bool yes = false;
  while (!body.empty()) {
    std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == "is_valid:true") {
      yes = true;
    } else if (line.starts_with("is_valid:")) {
      return false;
    }
  }
  return yes;
}

OpenID2User user_of(const Answer& answer) {
  OpenID2User user;
  user.claimed_id = answer.find_signed("claimed_id");
  user.first_name = answer.attribute(kAttributes[0].type);
  user.last_name = answer.attribute(kAttributes[2].type);
  user.name = answer.attribute(kAttributes[1].type);
  user.email = answer.attribute(kAttributes[3].type);
  user.locale = answer.attribute(kAttributes[4].type);
  user.username = answer.attribute(kAttributes[5].type);
  if (user.name.empty()) {
    user.name = user.first_name;
    if (!user.first_name.empty() && !user.last_name.empty()) user.name += ' ';
    user.name += user.last_name;
  }
  if (user.name.empty()) user.name = user.email.substr(0, user.email.find('@'));
  return user;
}

void add_attributes(http::QueryArguments& query, const std::vector<std::string>& asked) {
  if (asked.empty()) return;
  query.emplace_back("openid.ns.ax", kAttributeExchange);
  query.emplace_back("openid.ax.mode", "fetch_request");
  std::vector<std::string_view> aliases;
  for (const std::string& name : asked) {
    const std::size_t before = aliases.size();
    for (const Attribute& attribute : kAttributes) {
      if (attribute.asked != name) continue;
      query.emplace_back(fmt::format("openid.ax.type.{}", attribute.alias), attribute.type);
      aliases.push_back(attribute.alias);
    }
    if (aliases.size() == before) throw std::invalid_argument("unknown attribute of OpenID 2: " + name);
  }
  query.emplace_back("openid.ax.required", fmt::format("{}", fmt::join(aliases, ",")));
}

}  // namespace

OpenID2Client::OpenID2Client(OpenID2Options options) : options_(std::move(options)) {
  detail::check_endpoint("OpenID2Options::endpoint", options_.endpoint);
  for (const std::string& prefix : options_.identifier_prefixes)
    if (!http::URL::parse(prefix) || !prefix.ends_with('/'))
      throw std::invalid_argument("OpenID2Options::identifier_prefixes must be URLs that end with a slash");
}

void OpenID2Client::authenticate_redirect(RequestHandler& handler,
                                          const OpenID2AuthenticateOptions& options) const {
  detail::SignInState begun;
  begun.provider = options_.endpoint;
  begun.state = detail::random_token();
  http::QueryArguments state;
  state.emplace_back(kStateArgument, begun.state);
  begun.redirect_uri = http::url_concat(detail::absolute_url(handler, options.callback_uri), state);
  begun.next = is_local_path(options.next) ? options.next : "/";
  http::QueryArguments query = {{"openid.ns", std::string(kProtocol)},
                                {"openid.claimed_id", std::string(kAnyIdentifier)},
                                {"openid.identity", std::string(kAnyIdentifier)},
                                {"openid.return_to", begun.redirect_uri},
                                {"openid.realm", http::URL(begun.redirect_uri).origin() + "/"},
                                {"openid.mode", "checkid_setup"}};
  add_attributes(query, options.attributes);
  begun.save(handler, options_.cookie_name, options_.sign_in_timeout);
  handler.set_header("Cache-Control", "no-store");
  handler.redirect(http::url_concat(options_.endpoint, query));
}

bool OpenID2Client::is_response(RequestHandler& handler) {
  return !detail::query_value(handler, "openid.mode").empty();
}

Task<OpenID2User> OpenID2Client::get_authenticated_user(RequestHandler& handler) const {
  const detail::SignInState begun =
      detail::SignInState::take(handler, options_.cookie_name, options_.sign_in_timeout, options_.endpoint,
                                detail::query_value(handler, kStateArgument));
  const Answer answer(handler);
  check_mode(answer);
  check_answer(answer, options_, begun.redirect_uri);
  detail::ProviderCall call;
  call.name = "OpenID endpoint";
  call.url = options_.endpoint;
  call.form = answer.for_check();
  const detail::ProviderReply reply = co_await detail::call_provider(options_.access, std::move(call));
  if (!reply.ok()) reply.fail();
  if (!says_valid(reply.body))
    throw AuthError(Fault::provider, fmt::format("{} says that its answer is not valid", reply.name));
  OpenID2User user = user_of(answer);
  user.endpoint = options_.endpoint;
  user.next = is_local_path(begun.next) ? begun.next : "/";
  co_return user;
}

}  // namespace squall::web
