# Libraries from the system; names are Debian 12's.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(deflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
if(VESAL_TORCH)
  find_package(Torch REQUIRED)
endif()
find_package(ITK REQUIRED COMPONENTS ITKCommon ITKIOImageBase ITKIONRRD ITKIOMeta ITKConnectedComponents ITKImageGrid)

# Headers of others are not ours to warn about.
add_library(vesal_itk INTERFACE)
target_include_directories(vesal_itk SYSTEM INTERFACE ${ITK_INCLUDE_DIRS})
target_link_libraries(vesal_itk INTERFACE ${ITK_LIBRARIES})

add_library(vesal_torch INTERFACE)
target_include_directories(vesal_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(vesal_torch INTERFACE ${TORCH_LIBRARIES})

# What each folder needs from outside.
set(vesal_needs_base fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json Threads::Threads)
set(vesal_needs_image PkgConfig::deflate PNG::PNG ZLIB::ZLIB vesal_itk)
set(vesal_needs_kernels PkgConfig::hwy)
set(vesal_needs_bundle yaml-cpp)
set(vesal_needs_transforms vesal_itk)
set(vesal_needs_nn vesal_torch)
set(vesal_needs_train vesal_torch)
