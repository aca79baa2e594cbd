output "undelivered_queue_arn" {
  description = "ARN of the queue of events that could not be forwarded."
  value       = aws_sqs_queue.undelivered.arn
}
