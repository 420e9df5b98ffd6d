#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/handler/request_handler.h>

#include <memory>
#include <vector>

namespace squall::web {

// A handler that outlives its request, and all that its functions of the request read. HandlerType::outlive
// gets it.
//
// Lifetime:  owns the handler, the request and the groups. The handler may be taken out: then it must have
//            forgotten its request.
struct KeptHandler final : http::Exchange::Successor, Pooled {
  Task<> run(std::unique_ptr<Successor> self, std::unique_ptr<http::Exchange> kept_exchange) override;

  std::unique_ptr<http::Exchange> exchange;
  std::unique_ptr<http::Exchange::Attachment> owner;  // of the groups' texts, unless the exchange owns them
  std::vector<PathGroups::Text> groups;
  PathGroups all_groups;
  std::unique_ptr<RequestHandler> handler;
};

}  // namespace squall::web
