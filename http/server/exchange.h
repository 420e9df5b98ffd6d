#pragma once

#include <squall/http/codec/request_parser.h>
#include <squall/http/message/headers.h>
#include <squall/http/message/http_input_error.h>
#include <squall/http/server/request.h>
#include <squall/http/server/request_body.h>
#include <squall/http/server/response.h>
#include <squall/http/server/response_filter.h>
#include <squall/http/server/response_writer.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/coro/async_generator.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

class ProxyHeaders;
class ServerConnection;
class ServerDelegate;
struct ServerContext;

// One request, and the response to it while the handler makes it.
//
// Set the status and headers, then either finish() with the whole body, or write() it piece by piece and
// finish(). The exchange chooses the framing. A whole body gets its Content-Length. Pieces are sent in
// chunks unless the headers have a Content-Length. The responses to HEAD, and 204 and 304, have no body. To
// HTTP/1.0 a body without a length ends with the connection. A Transfer-Encoding among the headers is not
// sent, nor is a Content-Length if the status allows no content: 1xx, 204, and 2xx for a CONNECT (RFC 9110,
// 8.6). So the headers of another server's response can be passed on.
//
// Thread:    the loop's thread only.
// Lifetime:  ends with the request, and is reused for another request: keep no reference beyond that.
// Errors:    once the client has gone write() throws StreamClosedError, and finish() does nothing. Both
//            throw StreamBufferFullError, and then have sent nothing, if the unsent bytes would exceed the
//            stream's max_write_buffer_size. HTTPOutputError closes the connection if the head was sent;
//            otherwise nothing was sent, and another response may follow reset_head().
class Exchange {
 public:
  Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const ServerRequest& request() const noexcept { return request_; }
  ServerRequest& request() noexcept { return request_; }

  // ---- The request's body, for a delegate that streams it: see ServerRequest::read().

  Task<std::string_view> read() { return body_.read(); }
  // All of the request has been read. A response that is finished before that closes the connection.
  bool request_read() const noexcept { return parser_.complete(); }
  // The limits of this request's body. Call these before any of the body is read. The first replaces
  // Options::max_body_size, which bounds the body as received and as decompressed. The second replaces
  // Options::body_timeout, which bounds the time that all reads together wait for the client.
  void set_max_body_size(std::size_t size) noexcept { body_.set_max_size(size); }
  void set_body_timeout(TimeSpan timeout) { body_.set_timeout(timeout); }

  // ---- The response.

  int status() const noexcept { return response_.status(); }
  // 200 by default. Without a reason the reason of RFC 9110 is sent. Throws std::invalid_argument, and
  // changes nothing, for a status without three digits, for an interim status (1xx other than 101), and for
  // a control character in the reason, CR and LF among them (SEC-32).
  void set_status(int status, std::string_view reason = {}) { response_.set_status(status, reason); }
  // The headers of the response, at first the default headers: Server, Date and the delegate's. Changes
  // have no effect once the head is sent.
  Headers& headers() { return response_.headers(); }
  // Whether headers() or add_headers() was called for this response: it may have other than the default
  // headers.
  bool has_own_headers() const noexcept { return response_.has_own_headers(); }
  // Adds all fields of `added`. Its Server, Date and Content-Type replace existing fields.
  void add_headers(const Headers& added) { response_.add_headers(added); }
  // As given to set_status().
  const std::string& reason() const noexcept { return response_.reason(); }
  // Back to status 200 and the default headers.
  void reset_head() noexcept { response_.reset_head(); }
  bool head_sent() const noexcept { return response_.head_sent(); }
  bool finished() const noexcept { return response_.finished(); }

  // Sends the head, unless it is sent already, and a piece of the body. The bytes leave at the end of the
  // turn. Throws HTTPOutputError beyond a Content-Length of the headers.
  void write(std::string_view piece) { response_.write(piece); }
  // The same for a block of memory that many responses share. A large block is not copied.
  void write_shared(SharedBytes piece) { response_.write_shared(std::move(piece)); }
  // Waits until the kernel has taken all bytes that were written: back-pressure.
  WriteAwaiter flush() { return stream_->flush(); }
  // Ends the response with the last piece of the body, or with the whole body. From then on the handler's
  // task is not cancelled when the client goes away. Throws HTTPOutputError if the body has another size than
  // a Content-Length of the headers; std::logic_error if called twice.
  void finish(std::string_view last = {}) {
    end_request();
    response_.finish(last);
  }

  // The response passes through `filter` before it is framed, and through several filters in the order in
  // which they were added. Filters do not see interim responses and trailers. Throws std::logic_error once
  // the head is sent. A write that fails with filters cannot be repeated: the connection is closed or, if
  // the head is not sent, reset_head() must be called.
  void add_filter(std::unique_ptr<ResponseFilter> filter) { response_.add_filter(std::move(filter)); }
  // Replaces the hook that was set before; gone when the exchange ends. A web::Application uses it for its
  // middleware, so its handlers must not call this function: a middleware's before_head() does the same.
  void set_head_hook(HeadHook hook) noexcept { response_.set_head_hook(hook); }

  // ---- Bodies from other sources than a string.

  // The whole body is a block of memory that many responses share. It is not copied, and is freed when the
  // last response is sent. Errors as finish().
  void finish(SharedBytes body);
  // The whole body is a part of a file, with its Content-Length. The kernel sends it from the page cache
  // (sendfile) if it can, and it takes no room in the stream's buffer. If the file becomes shorter
  // meanwhile, the connection is closed. Errors as finish() and IOStream::write_file(). After an error of
  // write_file() the connection is closed, and no part of the response was sent. With filters the file is
  // read at once, and the filtered body takes room in the stream's buffer: see filters_body().
  void finish_file(FileSlice file);
  // Calls the head hook for a whole body of `size` bytes, and returns whether there are filters. If so, a
  // large body should be sent by write() and flush(), piece by piece.
  bool filters_body(std::uint64_t size) { return response_.filters_body(size); }
  // Sends the strings that `pieces` yields, each after the kernel has taken the one before, and then
  // finishes the response. An exception of the generator is passed on, and the response is then not
  // finished. Other errors as write().
  Task<> finish_with(AsyncGenerator<std::string> pieces);

  // A whole response: head, body and trailers.
  void respond(const ServerResponse& response);
  // Sends an interim response, such as 103 with Link fields, before the final response (RFC 9110, 15.2).
  // Sends nothing to HTTP/1.0. 100 need not be sent: a client that waits for it gets it when the body is
  // first read. Throws std::invalid_argument for any status but 1xx, and for 101; std::logic_error once the
  // head is sent.
  void inform(int status, const Headers& headers = Headers()) { response_.inform(status, headers); }
  // The fields to send behind a body in chunks. To HTTP/1.1 a body with trailers and without Content-Length
  // is sent in chunks. Add trailers before finish(). Trailers that are added before the head is sent are
  // announced in a Trailer field (RFC 9110, 6.6.2). Fields that say how a message is read or routed are not
  // sent (RFC 9110, 6.5.1).
  Headers& trailers() { return response_.trailers(); }

  // Takes the connection from the server, for another protocol, and ends the exchange. Written bytes are
  // still sent, and the bytes behind the request can be read. May be called in the delegate's task only:
  // throws std::logic_error within handle_request() itself. To switch protocols, set status 101 (or any 2xx
  // for a CONNECT) and the headers, and call write({}), which sends the head.
  IOStream detach();
  bool detached() const noexcept { return detached_; }
  // Goes on with a connection that was detached, when the delegate's task has ended. So the memory of the
  // request's coroutines is free while the other protocol runs.
  struct Successor {
    virtual ~Successor() = default;
    // Makes a task, which owns `self`. The server runs the task, and destroys it at the latest with the tasks
    // of its connections. The exchange has no connection any more: only its request can be used.
    virtual Task<> run(std::unique_ptr<Successor> self, std::unique_ptr<Exchange> exchange) = 0;
  };
  // Call it after detach(). If the task fails, or is destroyed, the successor is destroyed without run().
  void hand_on(std::unique_ptr<Successor> successor) noexcept { successor_ = std::move(successor); }

  // Gives up the response: closes the connection, so that the client does not take the response for complete.
  void abort() noexcept { response_.abort(); }
  // The connection is closed: the client has gone, or the response was aborted.
  bool closed() const noexcept { return stream_->closed(); }

  // A buffer to collect the body before it is sent: empty at first, with reused memory.
  std::string& buffer() noexcept { return buffer_; }
  // The connection of the request: the same for all requests of a connection, if the delegate follows
  // connections.
  const ServerConnection& connection() const noexcept { return *connection_; }
  // The connection closes after the response, even if the client does not ask for it.
  void close_after() noexcept { response_.close_after(); }
  // A handler that waits is cancelled if the client goes away before finish(): see Options::half_closed.
  // After run_to_end() it is not cancelled.
  void run_to_end() noexcept { runs_to_end_ = true; }
  bool runs_to_end() const noexcept { return runs_to_end_; }
  // For client_gone(): the delegate's task has cancelled its own work, and ends soon. The server waits for
  // that in place of destroying the task, and sends no response of it.
  void let_task_end() noexcept { task_ends_itself_ = true; }
  bool task_ends_itself() const noexcept { return task_ends_itself_; }
  // For client_gone(): the status that the connection answers with, 408, if the client took too long to send
  // its body.
  std::optional<int> cancelled_with() const noexcept;
  // Data of the delegate; destroyed with the request; null at first. A web::Application uses it
  // between head_received() and handle_request(), and for request_local(), so a delegate that wraps one must
  // not.
  struct Attachment {
    virtual ~Attachment() = default;
  };
  void attach(std::unique_ptr<Attachment> attachment) noexcept { attachment_ = std::move(attachment); }
  Attachment* attachment() const noexcept { return attachment_.get(); }
  std::unique_ptr<Attachment> take_attachment() noexcept { return std::move(attachment_); }
  // A pointer for the delegate's own use, for example in client_gone(); null at first.
  void set_context(void* context) noexcept { context_ = context; }
  void* context() const noexcept { return context_; }
  // For a delegate that passes its requests on: the connection calls client_gone() of `delegate` for this
  // request, and no longer of the delegate that it was given. `delegate` outlives the request.
  void hand_over(ServerDelegate& delegate) noexcept { new_delegate_ = &delegate; }
  // Null unless the request was handed over.
  ServerDelegate* handed_over_to() const noexcept { return new_delegate_; }

 private:
  friend class ServerConnection;

  // For the connection: the first bytes of a request have arrived.
  void begin(ServerConnection& connection, IOStream& stream);
  void begin_slowly(const ServerContext& context);
  void begin_parsing(const RequestParser::Limits& limits) noexcept { parser_.begin(request_.head_, limits); }
  // The response ends. An unread part of the request may never arrive, and the next request would be behind
  // it.
  void end_request() noexcept {
    if (body_.is_streamed() && !parser_.complete()) [[unlikely]]
      response_.close_after();
  }
  // Takes the client's address and protocol from the fields of the proxy in front.
  void apply(const ProxyHeaders& proxy_headers, const Address& peer);
  // For the connection: the delegate's task has ended behind detach().
  std::unique_ptr<Successor> leave_connection() noexcept;
  // The request is over. Frees large buffers: pooled exchanges must not keep the memory of their largest
  // bodies.
  void give_back_memory() noexcept;
  // Null unless times are measured.
  RequestTimes* times() noexcept { return is_measured_ ? &request_.times_ : nullptr; }

  ServerRequest request_;
  RequestParser parser_;
  ResponseWriter response_;
  RequestBody body_;
  IOStream* stream_ = nullptr;
  ServerConnection* connection_ = nullptr;
  void* context_ = nullptr;
  ServerDelegate* new_delegate_ = nullptr;  // of hand_over()
  std::unique_ptr<Attachment> attachment_;
  std::unique_ptr<Successor> successor_;  // of a detached connection, whose exchange is not used again
  std::string buffer_;
  bool is_measured_ = false;  // Options::measure_times is set
  bool runs_to_end_ = false;
  bool task_ends_itself_ = false;
  bool detached_ = false;
};

}  // namespace squall::http
