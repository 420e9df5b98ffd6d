#pragma once

// WebSockets: all of websocket/ that a program uses.

#include <squall/http.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/codec/handshake_fields.h>
#include <squall/websocket/connection/accept.h>
#include <squall/websocket/connection/closed_error.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/origin.h>
#include <squall/websocket/connection/prepared_message.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/hub/broker.h>
#include <squall/websocket/hub/envelope.h>
#include <squall/websocket/hub/history.h>
#include <squall/websocket/hub/hub.h>
#include <squall/websocket/hub/hub_options.h>
#include <squall/websocket/hub/memory_broker.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/redis_broker.h>
#include <squall/websocket/hub/redis_broker_options.h>
#include <squall/websocket/hub/serve_topic.h>
#include <squall/websocket/hub/subscription.h>
#include <squall/websocket/hub/topic.h>
#include <squall/websocket/hub/topic_message.h>
