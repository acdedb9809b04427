"""Large language models behind one `llm.Llm`: in this process (`embedded…`) or on a server (`openai_…`)."""
