#pragma once

// WebSockets: all of websocket/ that a program uses.

#include <squall/http.h>
#include <squall/websocket/client/backoff.h>
#include <squall/websocket/client/callback_connection.h>
#include <squall/websocket/client/connect_options.h>
#include <squall/websocket/client/disconnect.h>
#include <squall/websocket/client/message_callback.h>
#include <squall/websocket/client/outbox.h>
#include <squall/websocket/client/reconnect_options.h>
#include <squall/websocket/client/reconnecting_client.h>
#include <squall/websocket/client/websocket_connect.h>
#include <squall/websocket/client/websocket_error.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/codec/handshake_fields.h>
#include <squall/websocket/connection/accept.h>
#include <squall/websocket/connection/closed_error.h>
#include <squall/websocket/connection/connection_group.h>
#include <squall/websocket/connection/connection_handle.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/message_awaiter.h>
#include <squall/websocket/connection/message_receiver.h>
#include <squall/websocket/connection/message_writer.h>
#include <squall/websocket/connection/origin.h>
#include <squall/websocket/connection/prepared_message.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/handler/websocket_handler.h>
