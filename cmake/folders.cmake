# One object library per folder of src/, so that files that register themselves are never dropped by the linker.

function(vesal_options target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<BOOL:${VESAL_WERROR}>:-Werror>)
  if(VESAL_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${VESAL_SANITIZE} -fno-omit-frame-pointer -g)
    target_link_options(${target} PRIVATE -fsanitize=${VESAL_SANITIZE})
  endif()
endfunction()

set(vesal_torch_folders nn train)  # these see libtorch: the program loads them when something needs them; without it they are left out

set(vesal_shared_code -fPIC -fno-semantic-interposition)  # of a shared library, which nobody overrides

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
    add_library(vesal_${folder} OBJECT ${sources})
    vesal_options(vesal_${folder})
    if(folder IN_LIST vesal_torch_folders)
      target_compile_options(vesal_${folder} PRIVATE ${vesal_shared_code})
    endif()
    foreach(lower IN LISTS below)
      if(DEFINED vesal_needs_${lower} AND (NOT lower IN_LIST vesal_torch_folders OR folder IN_LIST vesal_torch_folders))
        target_link_libraries(vesal_${folder} PUBLIC ${vesal_needs_${lower}})
      endif()
    endforeach()
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

# Links a program with a folder and all below it; WITHOUT_NETWORKS leaves those out that it loads when it needs them.
function(vesal_link target folder)
  vesal_options(${target})
  foreach(lower IN LISTS below_${folder})
    if("WITHOUT_NETWORKS" IN_LIST ARGN AND lower IN_LIST vesal_torch_folders)
      continue()
    endif()
    if(TARGET vesal_${lower})
      target_link_libraries(${target} PRIVATE vesal_${lower})
    endif()
  endforeach()
endfunction()
