// What one can try at a click. The files are drawn by this project.

const RECEIPT = { name: "receipt.png", type: "image/png" };
const text = { type: "string" };

export const SAMPLES = [
  { name: "Receipt: read it", task: "ocr", prompt: "", file: RECEIPT },
  {
    name: "Receipt: extract fields", task: "chat", prompt: "Extract these fields.", file: RECEIPT,
    schema: {
      type: "object",
      properties: { shop: text, date: { type: "string", format: "date" }, total: { type: "number" } },
      required: ["shop", "date", "total"],
      additionalProperties: false,
    },
  },
  { name: "Sign-up form", task: "gui_detection", prompt: "", file: { name: "form.png", type: "image/png" } },
  {
    name: "Two voices", task: "speech_to_text", prompt: "Identify the speakers.",
    file: { name: "voices.mp3", type: "audio/mpeg" },
  },
  { name: "Sales table", task: "forecast", prompt: "Forecast the next 12 months.", file: { name: "sales.csv", type: "text/csv" } },
];
