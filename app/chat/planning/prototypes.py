"""Examples of what each task is asked, for the router.

The thresholds were chosen on requests of their own (tests/routing.py), none of which is in the table of plans.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NOTHING = "nothing"
"""The LLM answers by itself."""


@dataclass(frozen=True, slots=True)
class Prototypes:
    name: str
    examples: Mapping[str, tuple[str, ...]]
    """By task; one of them is NOTHING."""
    threshold: float
    """Least score of a task."""
    margin: float
    """Least lead over NOTHING."""


WITHOUT_MEDIA = Prototypes(
    "without_media",
    {
        "web_search": (
            "What is happening in the world today?",
            "Who won the game last night?",
            "What was the score of the match yesterday?",
            "Will it rain tomorrow?",
            "What's the temperature outside right now?",
            "How much does it cost at the moment?",
            "What is the price of gas this week?",
            "How is the stock market doing today?",
            "Is the shop open on Sunday?",
            "What time does the museum close today?",
            "Are trains running on time this morning?",
            "Is my flight delayed?",
            "What movies are playing in theaters now?",
            "When is the next concert in town?",
            "Which restaurants near me are good?",
            "Has the new phone been released yet?",
            "What do reviews say about the new game?",
            "Any news about the strike?",
            "Who is leading in the polls?",
            "Who is the prime minister now?",
            "When does the next season come out?",
            "What is trending on social media?",
            "Is the website down?",
            "How many people live in the city as of this year?",
            "What did the president announce this week?",
            "Which team is top of the league table?",
        ),
        NOTHING: (
            "Write a short story about a dragon",
            "Explain how gravity works",
            "What is the meaning of this word?",
            "Who painted the Mona Lisa?",
            "What is the capital of Spain?",
            "When did the Second World War end?",
            "Why is the sky blue?",
            "How do magnets work?",
            "Solve this equation",
            "What is 12 times 12?",
            "Write a Python function that reverses a string",
            "Why does my code raise an exception?",
            "Refactor this function",
            "Sort this list of names",
            "Rewrite this sentence more politely",
            "Draft an e-mail to my boss",
            "Give me ideas for a birthday party",
            "Tell me a joke",
            "How are you?",
            "Thank you very much!",
            "Give me a recipe for bread",
            "Plan a workout for beginners",
            "What are the pros and cons of remote work?",
            "Summarise the plot of a classic novel",
            "What is the difference between a crocodile and an alligator?",
            "Correct the grammar of this paragraph",
            "Make a table of the planets",
            "Pretend you are a pirate",
            "Where is Rome?",
            "How many minutes are in a day?",
            "What time zone is London in?",
            "Is this phrase meant literally?",
            "Good morning!",
        ),
    },
    threshold=0.26,
    margin=0.1,
)

WITH_PICTURE = Prototypes(
    "with_picture",
    {
        "object_detection": (
            "Is there a dog?",
            "Do you see any people?",
            "What animal is this?",
            "What kind of car is that?",
            "What is the person holding?",
            "What is the woman wearing?",
            "Is anybody on the street?",
            "What is behind the tree?",
            "What is standing on the table?",
            "Are the traffic lights green?",
            "What breed is the cat?",
            "What can you see in the background?",
            "How many vehicles are parked?",
            "Who is in the scene?",
            "Is the chair occupied?",
        ),
        "gui_detection": (
            "Which control submits the form?",
            "How do I get to the settings on this app?",
            "Which tab is selected?",
            "Where can I change my password on this page?",
            "Is the toggle switched on?",
            "Which option do I have to choose to save the file?",
        ),
        NOTHING: (
            "What is the sum at the bottom?",
            "Which company sent this invoice?",
            "When is the payment due?",
            "What does it say?",
            "Copy the text",
            "Type out this handwriting",
            "Convert the table to CSV",
            "What is the phone number?",
            "Who signed the letter?",
            "Summarise this page",
            "What is the title of the article?",
            "Turn the receipt into JSON",
            "How much was the tax?",
            "Solve the equation on the sheet",
            "What does the chart say about sales?",
            "What is the expiry date?",
            "Which items were bought?",
            "Is this contract valid?",
            "Explain this diagram",
        ),
    },
    threshold=0.26,
    margin=0.06,
)
