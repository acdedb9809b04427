"""What requests and answers look like in JSON, as OpenAI's API has them; `parse` reads a body without holding up
others."""
