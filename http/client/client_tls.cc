#include <squall/http/client/client_tls.h>

#include <fmt/format.h>

namespace squall::http {

void ClientTLS::append_key(std::string& key, const Fetch& fetch) {
  if (fetch.tls()) {
    key += fmt::format(" tls {}", fmt::ptr(fetch.tls().get()));
    // A connection with a certificate, even of the same server, identifies the client.
    if (!fetch.keeps_credentials()) key.append(" anonymous");
    return;
  }
  if (!fetch.flag(&FetchOptions::validate_cert, true)) key.append(" unchecked");
  for (const auto* file : {&fetch.option(&FetchOptions::ca_certs), &fetch.client_cert(), &fetch.client_key()})
    key.append(1, '\n').append(file->value_or(std::string()));
}

TLSContext ClientTLS::context_for(const Fetch& fetch) {
  if (fetch.tls()) return fetch.keeps_credentials() ? *fetch.tls() : fetch.tls()->without_certificate();
  std::string key;
  append_key(key, fetch);
  if (const auto found = contexts_.find(key); found != contexts_.end()) return found->second;
  TLSClientOptions options;
  options.alpn.emplace_back("http/1.1");
  options.handshake_timeout = {};  // the fetch has its own timeout
  if (!fetch.flag(&FetchOptions::validate_cert, true)) options.cert_reqs = CertReqs::none;
  if (const auto& file = fetch.option(&FetchOptions::ca_certs)) options.ca_certs = *file;
  if (const auto& file = fetch.client_cert()) {
    TLSCertificate certificate;
    certificate.certfile = *file;
    if (const auto& own_key = fetch.client_key()) certificate.keyfile = *own_key;
    options.certificate = std::move(certificate);
  }
  if (contexts_.size() >= kMaxContexts) contexts_.clear();
  return contexts_.emplace(std::move(key), TLSContext::client(std::move(options))).first->second;
}

}  // namespace squall::http
