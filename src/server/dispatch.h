// From a request to its response: who calls, may he, which route, what the audit log keeps, what an error looks like.
#pragma once
#include "server/route.h"

namespace vesal::server {

/// Never throws. Requests to no route are the page's if they are GET.
Response dispatch(Request& request, Services& services);

/// The name of the cookie with the session.
inline constexpr const char* kSessionCookie = "vesal_session";

}  // namespace vesal::server
