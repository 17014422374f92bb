namespace glaive::expr {}  // namespace glaive::expr
