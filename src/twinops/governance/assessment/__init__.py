"""The impact assessment: questions, answers, approval, and what opens it again."""
