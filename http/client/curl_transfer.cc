#include <squall/http/client/curl_transfer.h>

#include <squall/http/client/credentials.h>
#include <squall/http/client/curl_http_client.h>
#include <squall/http/client/dialer.h>
#include <squall/http/client/mapped_host.h>
#include <squall/http/client/proxy_environment.h>
#include <squall/http/client/request_head.h>
#include <squall/http/codec/content_decoder.h>
#include <squall/http/message/method.h>
#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/status.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/errors.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// This much of the body of a redirect is read, so that the connection can be used again.
constexpr std::size_t kMaxDiscarded = 64 * 1024;

// `none` is libcurl's value for no timeout. Zero would be libcurl's own default, so a timeout that has
// passed becomes 1 ms.
long milliseconds(std::optional<TimeSpan> timeout, long none) {
  if (!timeout) return none;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
  return static_cast<long>(std::clamp<long long>(rounded, 1, std::numeric_limits<int>::max()));
}

FetchTimes::Duration since(CURL* easy, CURLINFO from, CURLINFO to) {
  curl_off_t begin = 0;
  curl_off_t end = 0;
  if (from != CURLINFO_NONE) curl_easy_getinfo(easy, from, &begin);
  curl_easy_getinfo(easy, to, &end);
  return std::chrono::microseconds(std::max<curl_off_t>(end - begin, 0));
}

// Whether this is an error of libcurl for a proxy that does not open a tunnel.
bool is_refused_tunnel(CURLcode result) {
  return result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR || result == CURLE_GOT_NOTHING ||
         result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == host.npos || host.starts_with('[') ? host : fmt::format("[{}]", host);
}

// Host and port in the URL of a proxy. libcurl also takes a URL without a scheme, and one slash or three
// behind a scheme.
std::string_view place_of_proxy(std::string_view url) {
  if (const std::size_t scheme = url.find(":/"); scheme != url.npos)
    url.remove_prefix(std::min(url.find_first_not_of('/', scheme + 1), url.size()));
  url = url.substr(0, url.find_first_of("/?#"));
  url.remove_prefix(url.rfind('@') + 1);
  return url;
}

// `http://me:pw@127.0.0.1:3128/` is `proxy 127.0.0.1:3128`.
std::string name_of_proxy(std::string_view url) {
  const std::string_view place = place_of_proxy(url);
  return place.empty() ? std::string() : fmt::format("proxy {}", place);
}

// The host in the URL of a proxy, decoded.
std::string host_of_proxy(std::string_view url) {
  const std::string_view place = place_of_proxy(url);
  return percent_decode(place.substr(0, place.starts_with('[') ? place.find(']') : place.find(':')));
}

void append(curl_slist*& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list, line.c_str());
  if (!longer) throw std::bad_alloc();
  list = longer;
}

}  // namespace

CurlTransfer::CurlTransfer(CurlEngine& engine, Fetch& fetch)
    : engine_(engine), fetch_(fetch), easy_(engine.take_easy()) {}

CurlTransfer::~CurlTransfer() {
  if (state_ == State::added && engine_.is_acting()) {
    retire();
    return;
  }
  if (state_ == State::added) engine_.remove(easy_);
  engine_.give_back(easy_, reuse());
  curl_slist_free_all(headers_);
  curl_slist_free_all(mapping_);
}

// During a call of libcurl the request cannot be removed, so all data that libcurl may still read is kept.
void CurlTransfer::retire() noexcept {
  const auto refuse = +[](char*, std::size_t, std::size_t, void*) -> std::size_t { return 0; };
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, refuse);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, refuse);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  engine_.retire({easy_, reuse(), headers_, mapping_, fetch_.take_data()});
}

CurlEngine::Reuse CurlTransfer::reuse() const noexcept {
  return fetch_.request().prepare_curl_callback ? CurlEngine::Reuse::no : CurlEngine::Reuse::yes;
}

template <class Value>
void CurlTransfer::set(CURLoption option, Value value) {
  const CURLcode result = curl_easy_setopt(easy_, option, value);
  if (result != CURLE_OK)
    throw std::invalid_argument(fmt::format("libcurl refuses an option: {}", curl_easy_strerror(result)));
}

// ---- The request.

void CurlTransfer::begin() {
  const HTTPRequest& request = fetch_.request();
  if (fetch_.has_producer())
    throw std::invalid_argument("body_producer is not supported by CurlAsyncHTTPClient");
  if (request.streaming_callback.waits())
    throw std::invalid_argument("a streaming_callback that waits is not supported by CurlAsyncHTTPClient");
  if (fetch_.tls()) throw std::invalid_argument("a TLSContext is not supported by CurlAsyncHTTPClient");
  if (fetch_.body() && fetch_.method() == "GET")
    throw std::invalid_argument("Body must be None for GET request");

  set(CURLOPT_ERRORBUFFER, text_);
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  set(CURLOPT_URL, fetch_.url().without_userinfo().without_fragment().text().c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      milliseconds(fetch_.connect_timeout(), static_cast<long>(std::numeric_limits<int>::max())));
  set(CURLOPT_TIMEOUT_MS, milliseconds(fetch_.request_timeout(), 0));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, this);
  if (fetch_.decompresses()) set(CURLOPT_ACCEPT_ENCODING, "");
  set_headers();
  set_body();
  set_route();
  set_connections();
  set_tls();
  if (request.prepare_curl_callback) {
    request.prepare_curl_callback(easy_);
    if (!fetch_.keeps_credentials()) take_back_credentials();
  }
  engine_.add(easy_);
  state_ = State::added;
}

// Sends the same headers as SimpleAsyncHTTPClient, and no headers of libcurl.
void CurlTransfer::set_headers() {
  std::string head;
  RequestHead writer(fetch_);
  writer.keep_alive = engine_.options().keep_alive;
  writer.absolute = proxy() && !fetch_.url().is_https();
  writer.write_to(head);
  std::string_view rest = head;
  rest.remove_prefix(rest.find("\r\n") + 2);
  bool has_type = false;
  bool has_codings = false;
  while (rest.size() > 2) {
    const std::size_t end = rest.find("\r\n");
    std::string line(rest.substr(0, end));
    rest.remove_prefix(end + 2);
    const std::string_view name = std::string_view(line).substr(0, line.find(':'));
    if (equals_ignoring_case(name, "Content-Length") || equals_ignoring_case(name, "Transfer-Encoding"))
      continue;
    if (equals_ignoring_case(name, "Content-Type")) has_type = true;
    if (equals_ignoring_case(name, "Accept-Encoding")) has_codings = true;
    // For libcurl `X:` removes the header X, and `X;` sends it with an empty value.
    if (line.size() <= name.size() + 2) {
      line.erase(name.size());
      line += ';';
    }
    append(headers_, line);
  }
  append(headers_, "Accept:");
  append(headers_, "Expect:");
  if (!has_type) append(headers_, "Content-Type:");
  if (!has_codings) append(headers_, "Accept-Encoding:");
  set(CURLOPT_HTTPHEADER, headers_);
}

void CurlTransfer::set_body() {
  const std::string method(fetch_.method());
  if (const std::string* const body = fetch_.body()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    set(CURLOPT_POSTFIELDS, body->data());
  } else if (method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (expects_content(method)) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(0));
    set(CURLOPT_POSTFIELDS, "");
  }
  if (method != "GET" && method != "HEAD") set(CURLOPT_CUSTOMREQUEST, method.c_str());
  if (!fetch_.username().empty() && fetch_.authorization().empty()) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_DIGEST));
    set(CURLOPT_USERNAME, fetch_.username().c_str());
    set(CURLOPT_PASSWORD, fetch_.password().c_str());
  }
}

// The URL of the proxy by the environment; empty without one. libcurl takes more kinds of proxies than
// SimpleAsyncHTTPClient, but no_proxy has the same rules for both.
std::string CurlTransfer::proxy_of_environment() const {
  if (fetch_.option(&FetchOptions::unix_socket) || !fetch_.setting(&FetchOptions::proxy).is_open() ||
      !fetch_.flag(&FetchOptions::proxy_from_environment, false))
    return std::string();
  const std::string_view text =
      proxy_text_of_environment(fetch_.url(), [](const char* name) { return std::getenv(name); });
  check_credential("the proxy of the environment", percent_decode(text));
  Fetch::check_proxy_host(host_of_proxy(text));
  return std::string(text);
}

// A Unix socket has no proxy: the server there would get the Proxy-Authorization of the headers.
const ProxyOptions* CurlTransfer::proxy() const {
  const auto& proxy = fetch_.option(&FetchOptions::proxy);
  return proxy && !fetch_.option(&FetchOptions::unix_socket) ? &*proxy : nullptr;
}

// Proxy, local address, Unix socket and mapped hosts.
void CurlTransfer::set_route() {
  const auto& path = fetch_.option(&FetchOptions::unix_socket);
  fetch_.set_proxy_name(std::string());
  if (const ProxyOptions* const proxy = this->proxy()) {
    fetch_.set_proxy_name(proxy_name(*proxy));
    set(CURLOPT_PROXY, proxy->host.c_str());
    set(CURLOPT_PROXYPORT, static_cast<long>(proxy->port));
    set(CURLOPT_NOPROXY, "");
    if (!proxy->username.empty()) {
      set(CURLOPT_PROXYUSERNAME, proxy->username.c_str());
      set(CURLOPT_PROXYPASSWORD, proxy->password.c_str());
    }
    set(CURLOPT_PROXYAUTH,
        static_cast<long>(proxy->auth_mode == AuthMode::digest ? CURLAUTH_DIGEST : CURLAUTH_BASIC));
  } else {
    const std::string text = proxy_of_environment();
    fetch_.set_proxy_name(name_of_proxy(text));
    set(CURLOPT_PROXY, text.c_str());
    set(CURLOPT_NOPROXY, "");
  }
  if (const auto& from = fetch_.option(&FetchOptions::network_interface))
    set(CURLOPT_INTERFACE, fmt::format("{}!{}", is_valid_ip(*from) ? "host" : "if", *from).c_str());
  if (!fetch_.flag(&FetchOptions::allow_ipv6, true))
    set(CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V4));
  if (path) set(CURLOPT_UNIX_SOCKET_PATH, path->c_str());
  // libcurl takes the first entry that matches, so the entries with a port come first.
  for (const bool has_port : {true, false}) {
    for (const auto& [from, to] : engine_.options().hostname_mapping) {
      const MappedHost mapped(from);
      if (mapped.port.has_value() != has_port) continue;
      if (ends_in_number(to) && !is_valid_ip(to))
        throw std::invalid_argument(
            fmt::format("hostname_mapping: a number that is not an IPv4 address: {}", escape_controls(to)));
      const std::string port = has_port ? std::to_string(*mapped.port) : std::string();
      append(mapping_, fmt::format("{}:{}:{}:", bracketed(mapped.name), port, bracketed(to)));
    }
  }
  if (mapping_) set(CURLOPT_CONNECT_TO, mapping_);
}

// The callback of the request may have set credentials that are for the first origin.
void CurlTransfer::take_back_credentials() {
  constexpr const char* kNone = nullptr;
  for (const CURLoption option : {CURLOPT_USERPWD, CURLOPT_USERNAME, CURLOPT_PASSWORD, CURLOPT_XOAUTH2_BEARER,
                                  CURLOPT_COOKIE, CURLOPT_COOKIEFILE, CURLOPT_SHARE, CURLOPT_SSLCERT,
                                  CURLOPT_SSLKEY, CURLOPT_TLSAUTH_USERNAME, CURLOPT_TLSAUTH_PASSWORD})
    curl_easy_setopt(easy_, option, kNone);  // a libcurl without the option cannot have set it either
#if LIBCURL_VERSION_NUM >= 0x074700
  constexpr curl_blob* kNoBlob = nullptr;
  curl_easy_setopt(easy_, CURLOPT_SSLCERT_BLOB, kNoBlob);
  curl_easy_setopt(easy_, CURLOPT_SSLKEY_BLOB, kNoBlob);
#endif
  curl_easy_setopt(easy_, CURLOPT_COOKIELIST, "ALL");  // forgets the cookies that the handle has
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_HTTPHEADER, headers_);
}

// Which connections the request may use, and whether its connection is kept.
void CurlTransfer::set_connections() {
  using std::chrono::seconds;
  // On a reused connection that ends without an answer libcurl sends the request again, whatever its method.
  if (!fetch_.may_retry(Fetch::Sent::something)) set(CURLOPT_FRESH_CONNECT, 1L);
  if (!engine_.keeps_connections()) set(CURLOPT_FORBID_REUSE, 1L);
#if LIBCURL_VERSION_NUM >= 0x074100
  const auto most = static_cast<long long>(std::numeric_limits<int>::max());
  const auto& timeout = engine_.options().idle_timeout;
  const long long idle = timeout ? std::chrono::floor<seconds>(*timeout).count() : most;
  set(CURLOPT_MAXAGE_CONN, static_cast<long>(std::clamp<long long>(idle, 1, most)));
#endif
}

void CurlTransfer::set_tls() {
  const bool checks = fetch_.flag(&FetchOptions::validate_cert, true);
  set(CURLOPT_SSL_VERIFYPEER, checks ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, checks ? 2L : 0L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (const auto& file = fetch_.option(&FetchOptions::ca_certs)) set(CURLOPT_CAINFO, file->c_str());
  if (const auto& file = fetch_.client_cert()) set(CURLOPT_SSLCERT, file->c_str());
  if (const auto& file = fetch_.client_key()) set(CURLOPT_SSLKEY, file->c_str());
}

// ---- The response.

// Called by C code, so no exception may leave this function.
std::size_t CurlTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  try {
    transfer.take_header({data, size * count});
    return size * count;
  } catch (...) {
    transfer.failure_ = std::current_exception();
    return 0;  // ends the transfer
  }
}

std::size_t CurlTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  try {
    return transfer.take_body({data, size * count}) ? size * count : 0;
  } catch (...) {
    transfer.failure_ = std::current_exception();
    return size * count > 0 ? 0 : 1;
  }
}

void CurlTransfer::take_header(std::string_view line) {
  HTTPResponse::Data& data = fetch_.data();
  head_size_ += line.size();
  if (head_size_ > engine_.options().max_header_size)
    throw HTTPProtocolError("Response head too large", fetch_.failure(FetchPhase::head));
  std::string_view text = line;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.starts_with("HTTP/")) {
    // libcurl may have repeated the request, for digest authentication: this is another response.
    part_ = Part::head;
    received_ = 0;
    data.body.clear();
    data.headers.clear();
    lines_.clear();
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view rest = text.substr(std::min(blank + 1, text.size()));
    data.status = 0;
    for (const char c : rest.substr(0, 3)) data.status = data.status * 10 + (is_digit(c) ? c - '0' : 0);
    data.reason = rest.size() > 4 ? rest.substr(4) : reason_phrase(data.status);
    // The body of a 206 is a part of the compressed data (RFC 9110, 15.3.7).
    if (data.status == 206) set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  } else if (text.empty()) {
    if (!has_head() && data.status >= 200) {
      if (fetch_.request().header_callback) lines_.emplace_back(line);
      take_head();
    }
    return;
  } else if (!add_field(text)) {
    throw HTTPProtocolError("Malformed header field", fetch_.failure(FetchPhase::head));
  }
  if (!has_head() && fetch_.request().header_callback) lines_.emplace_back(line);
}

// Adds a field, or the second line of a folded field (RFC 9112, 5.2). False if the line is malformed.
bool CurlTransfer::add_field(std::string_view line) {
  HTTPResponse::Data& data = fetch_.data();
  Headers& fields = has_head() ? data.trailers : data.headers;
  if (!is_field_text(line)) return false;
  if (line.starts_with(' ') || line.starts_with('\t')) return fields.extend_last(trim(line));
  const std::size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) return false;
  fields.add(line.substr(0, colon), trim(line.substr(colon + 1)));
  return true;
}

void CurlTransfer::take_head() {
  const HTTPResponse::Data& data = fetch_.data();
  part_ = fetch_.will_follow(data.status, data.headers) ? Part::redirect : Part::body;
  fetch_.enter(FetchPhase::body);
  if (part_ == Part::redirect) return;
  for (const std::string& line : lines_) fetch_.request().header_callback(line);
}

// False if the rest of the body is not needed.
bool CurlTransfer::take_body(std::string_view piece) {
  received_ += piece.size();
  if (part_ == Part::redirect) {
    if (received_ > kMaxDiscarded) part_ = Part::abandoned;
    return part_ == Part::redirect;
  }
  if (received_ > fetch_.max_body_size()) {
    throw HTTPBodyTooLargeError(
        fmt::format("The body of the response is larger than {} bytes", fetch_.max_body_size()),
        fetch_.failure(FetchPhase::body));
  }
  const StreamingCallback& callback = fetch_.request().streaming_callback;
  if (callback) {
    const Task<> done = callback(piece);  // empty, as begin() refuses a callback that returns a task
  } else {
    fetch_.data().body.append(piece);
  }
  return true;
}

// ---- The end.

void CurlTransfer::end(CURLcode result) noexcept {
  result_ = result;
  engine_.remove(easy_);
  state_ = State::ended;
  // The caller resumes through the queue of the loop, not during a call of libcurl.
  if (resume_.coroutine()) engine_.loop().call_soon(resume_);
}

void CurlTransfer::await_resume() {
  take_times();
  if (failure_) std::rethrow_exception(failure_);
  if (part_ == Part::abandoned) return;
  if (result_ != CURLE_OK || !has_head()) fail();
}

void CurlTransfer::take_times() {
  FetchTimes& times = fetch_.data().times;
  times.resolve = since(easy_, CURLINFO_NONE, CURLINFO_NAMELOOKUP_TIME_T);
  times.connect = since(easy_, CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T);
  times.tls = since(easy_, CURLINFO_CONNECT_TIME_T, CURLINFO_APPCONNECT_TIME_T);
  times.first_byte = since(easy_, CURLINFO_PRETRANSFER_TIME_T, CURLINFO_STARTTRANSFER_TIME_T);
}

// The status of the proxy's answer to CONNECT; 0 without an answer.
long CurlTransfer::tunnel_status() const noexcept {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &status);
  return status;
}

FetchPhase CurlTransfer::phase_of_failure() const noexcept {
  curl_off_t connected = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected);
  const bool is_connected = connected > 0;
  switch (result_) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return FetchPhase::resolve;
    case CURLE_COULDNT_CONNECT: return FetchPhase::connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE: return FetchPhase::tls;
    case CURLE_OPERATION_TIMEDOUT:
      if (!is_connected) return FetchPhase::connect;
      break;
    default: break;
  }
  if (has_head()) return FetchPhase::body;
  const bool has_tunnel = is_connected || !proxy() || !fetch_.url().is_https();
  const bool is_refused = tunnel_status() >= 300 || (!has_tunnel && is_refused_tunnel(result_));
  return is_refused ? FetchPhase::proxy : FetchPhase::head;
}

void CurlTransfer::fail() const {
  const FetchPhase phase = phase_of_failure();
  HTTPClientError::Failure failure = fetch_.failure(phase);
  std::string message = *text_ ? text_ : curl_easy_strerror(result_);
  failure.cause = std::make_exception_ptr(CurlError(result_, message));
  long error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &error);
  if (error != 0) failure.code = std::error_code(static_cast<int>(error), std::generic_category());
  if (phase == FetchPhase::proxy) {
    const long status = tunnel_status();
    if (status >= 300) message = fmt::format("The proxy refused the tunnel: {}", status);
    throw HTTPClientError(std::move(message), std::move(failure));
  }
  switch (result_) {
    case CURLE_COULDNT_CONNECT:
      if (failure.code) message = failure.code.message();
      break;
    case CURLE_OPERATION_TIMEDOUT:
      failure.code = std::make_error_code(std::errc::timed_out);
      throw HTTPTimeoutError(
          phase == FetchPhase::connect ? "Timeout while connecting" : "Timeout during request",
          std::move(failure));
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING: throw HTTPProtocolError(std::move(message), std::move(failure));
    case CURLE_OK:  // without a head
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: throw HTTPStreamClosedError(std::move(message), std::move(failure));
    default: break;
  }
  throw HTTPClientError(std::move(message), std::move(failure));
}

}  // namespace squall::http
