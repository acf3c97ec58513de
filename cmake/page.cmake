# The built page (web/dist) becomes a zip archive inside vesal_server; without it the server says that it has none.
file(GLOB_RECURSE page_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/dist/*)
if(page_files)
  set(page ${CMAKE_BINARY_DIR}/page.zip)
  add_custom_command(OUTPUT ${page} COMMAND ${CMAKE_COMMAND} -E tar cf ${page} --format=zip . WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/web/dist
    DEPENDS ${page_files} VERBATIM)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/server/page_archive.cpp PROPERTIES
    COMPILE_DEFINITIONS "VESAL_PAGE=\"${page}\"" OBJECT_DEPENDS ${page})
endif()
