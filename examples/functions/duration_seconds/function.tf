# 604800
output "a_week" {
  value = provider::rekey::duration_seconds("7d")
}
