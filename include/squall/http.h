#pragma once

// HTTP messages and a server for them: all of http/ that a program uses.

#include <squall/http/exchange.h>
#include <squall/http/headers.h>
#include <squall/http/http_server.h>
#include <squall/http/query.h>
#include <squall/http/request.h>
#include <squall/http/server_delegate.h>
#include <squall/http/status.h>
#include <squall/iostream.h>
