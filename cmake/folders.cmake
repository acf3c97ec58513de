# One object library per folder of src/, so that files that register themselves are never dropped by the linker.

function(vesal_options target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<BOOL:${VESAL_WERROR}>:-Werror>)
  if(VESAL_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${VESAL_SANITIZE} -fno-omit-frame-pointer -g)
    target_link_options(${target} PRIVATE -fsanitize=${VESAL_SANITIZE})
  endif()
endfunction()

# What the program loads when something needs it, as its libraries take long to load.
set(vesal_torch_folders nn train)  # these see libtorch; without it they are left out
set(vesal_dicom_folders dicom server)
set(vesal_dicom_files "/src/(image/dicom_gdcm|cli/dicom_[a-z_]*|cli/serve|cli/audit_[a-z_]*)[.]cpp$")  # of other folders

set(vesal_shared_code -fPIC -fno-semantic-interposition)  # of a shared library, which nobody overrides

# One folder's files, with what it and the folders below need from outside.
function(vesal_object_library name folder)
  add_library(${name} OBJECT ${ARGN})
  vesal_options(${name})
  if(folder IN_LIST vesal_torch_folders)
    target_compile_options(${name} PRIVATE ${vesal_shared_code})
  elseif(folder IN_LIST vesal_dicom_folders OR name MATCHES "_late$")
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  foreach(lower IN LISTS below_${folder})
    if(DEFINED vesal_needs_${lower} AND (NOT lower IN_LIST vesal_torch_folders OR folder IN_LIST vesal_torch_folders))
      target_link_libraries(${name} PUBLIC ${vesal_needs_${lower}})
    endif()
  endforeach()
endfunction()

# Declares the folders in their order, lowest first.
function(vesal_folders)
  set(below "")
  foreach(folder IN LISTS ARGN)
    list(APPEND below ${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
    set(below_${folder} "${below}" CACHE INTERNAL "folders ${folder} may use")
    if(NOT sources OR (NOT VESAL_TORCH AND folder IN_LIST vesal_torch_folders))
      continue()
    endif()
    set(late ${sources})
    list(FILTER late INCLUDE REGEX "${vesal_dicom_files}")
    list(FILTER sources EXCLUDE REGEX "${vesal_dicom_files}")
    vesal_object_library(vesal_${folder} ${folder} ${sources})
    if(late)
      vesal_object_library(vesal_${folder}_late ${folder} ${late})
    endif()
  endforeach()
  # libtorch's headers cost 17 s a file: the folders that see them share one precompiled header.
  if(TARGET vesal_nn)
    target_precompile_headers(vesal_nn PRIVATE <torch/torch.h>)
  endif()
  if(TARGET vesal_train)
    target_precompile_headers(vesal_train REUSE_FROM vesal_nn)
  endif()
  set(below_cli "${below}" CACHE INTERNAL "folders cli may use")
endfunction()

# Links a program with a folder and all below it; WITHOUT_LATE leaves those out that it loads when it needs them.
function(vesal_link target folder)
  vesal_options(${target})
  foreach(lower IN LISTS below_${folder})
    if("WITHOUT_LATE" IN_LIST ARGN)
      if(lower IN_LIST vesal_torch_folders OR lower IN_LIST vesal_dicom_folders)
        continue()
      endif()
    elseif(TARGET vesal_${lower}_late)
      target_link_libraries(${target} PRIVATE vesal_${lower}_late)
    endif()
    if(TARGET vesal_${lower})
      target_link_libraries(${target} PRIVATE vesal_${lower})
    endif()
  endforeach()
endfunction()
