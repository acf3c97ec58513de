// What handlers work with; one of each while the server runs.
#pragma once
#include "server/accounts.h"
#include "server/audit.h"
#include "server/jobs.h"
#include "server/live.h"
#include "server/metrics.h"
#include "server/models.h"
#include "server/page.h"
#include "server/store.h"
#include "server/uploads.h"

namespace vesal::server {

struct Settings {
  std::filesystem::path data;
  std::filesystem::path page = {};                 ///< folder with the page; empty: the one built in
  std::uint64_t most_file = 16ull << 30;           ///< bytes of one uploaded file
  std::uint64_t quota = 200ull << 30;              ///< bytes of one user's uploads
  std::string software = "vesal";                  ///< with version
  std::vector<std::filesystem::path> models = {};  ///< folders with bundles; empty: where bundles are looked for
};

struct Services {
  explicit Services(Settings s)
      : settings(std::move(s)),
        store(settings.data),
        page(settings.page),
        models(settings.models),
        uploads(store, settings.most_file, settings.quota) {}
  Settings settings;
  Store store;
  Page page;
  Accounts accounts{store};
  Audit audit{store};
  Metrics metrics;
  Live live;
  Models models;
  Uploads uploads;
  Jobs jobs{store, live};
};

}  // namespace vesal::server
