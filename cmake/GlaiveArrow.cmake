# Apache Arrow C++: an installed package if there is one, else the headers and libraries inside the
# pinned pyarrow wheel that tools/setup.sh put into the build tree. Either way the targets
#   Glaive::arrow  Glaive::arrow_compute  Glaive::parquet
# carry the include directories and, for the wheel, the run path.
find_package(Arrow QUIET CONFIG)
if(Arrow_FOUND)
  find_package(ArrowCompute QUIET CONFIG)
  find_package(Parquet REQUIRED CONFIG)
  add_library(Glaive::arrow INTERFACE IMPORTED)
  target_link_libraries(Glaive::arrow INTERFACE Arrow::arrow_shared)
  add_library(Glaive::arrow_compute INTERFACE IMPORTED)
  target_link_libraries(Glaive::arrow_compute INTERFACE
    $<IF:$<TARGET_EXISTS:ArrowCompute::arrow_compute_shared>,ArrowCompute::arrow_compute_shared,Arrow::arrow_shared>)
  add_library(Glaive::parquet INTERFACE IMPORTED)
  target_link_libraries(Glaive::parquet INTERFACE Parquet::parquet_shared)
  set(GLAIVE_ARROW_FROM_WHEEL OFF)
  message(STATUS "Arrow: ${Arrow_VERSION} from find_package")
else()
  file(GLOB GLAIVE_ARROW_DIR "${GLAIVE_DEPS_DIR}/arrow/lib/python3*/site-packages/pyarrow")
  if(NOT GLAIVE_ARROW_DIR)
    message(FATAL_ERROR "No Apache Arrow C++ found: install it, or run tools/setup.sh build")
  endif()
  function(glaive_wheel_library target stem)
    file(GLOB found "${GLAIVE_ARROW_DIR}/lib${stem}.so.*")
    list(SORT found)
    list(GET found 0 path)
    add_library(${target} SHARED IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION "${path}"
      INTERFACE_INCLUDE_DIRECTORIES "${GLAIVE_ARROW_DIR}/include"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${GLAIVE_ARROW_DIR}/include")
  endfunction()
  glaive_wheel_library(Glaive::arrow arrow)
  glaive_wheel_library(Glaive::arrow_compute arrow_compute)
  glaive_wheel_library(Glaive::parquet parquet)
  set_property(TARGET Glaive::arrow_compute APPEND PROPERTY INTERFACE_LINK_LIBRARIES Glaive::arrow)
  set_property(TARGET Glaive::parquet APPEND PROPERTY INTERFACE_LINK_LIBRARIES Glaive::arrow)
  set(CMAKE_BUILD_RPATH "${GLAIVE_ARROW_DIR}")
  set(GLAIVE_ARROW_FROM_WHEEL ON)
  message(STATUS "Arrow: wheel at ${GLAIVE_ARROW_DIR}")
endif()
