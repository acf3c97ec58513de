// The API's description, made from the routes themselves.
#pragma once
#include <string>

#include "base/value.h"

namespace vesal::server {

/// An OpenAPI 3.1 document.
Dict openapi_document(const std::string& version);

}  // namespace vesal::server
