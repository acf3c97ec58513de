#include "server/server.h"

#include "server/dispatch.h"

namespace vesal::server {

Server::Server(const Settings& settings, const Listening& where)
    : services_(settings),
      first_password_(services_.accounts.first_password()),
      worker_(services_),
      http_(where, [this](Request& request) { return dispatch(request, services_); }) {}

Server::~Server() { services_.live.stop(); }

}  // namespace vesal::server
